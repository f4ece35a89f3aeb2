package dev.vivarium.protocol.guest;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Cuts the bytes of one channel into frames, however they were chunked on their way. It keeps the bytes of one
 * incomplete frame at most, and no more of them than have come: an announced length reserves nothing. Not safe for use
 * by several threads at once.
 *
 * @param <F> the frames of the channel's other side
 */
public final class FrameDecoder<F> {
    private static final int FIRST_RESERVE_BYTES = 512;

    private final int limitBytes;
    private final Function<FrameReader, F> body;
    /** The frame that is not complete yet, with its length in front. */
    private byte[] held = new byte[0];

    private int heldBytes;
    private boolean broken;

    FrameDecoder(int limitBytes, Function<FrameReader, F> body) {
        this.limitBytes = limitBytes;
        this.body = body;
    }

    /**
     * Takes all bytes of the chunk and hands over, in order, each frame that they complete.
     *
     * @throws MalformedFrameException when the bytes are no frame; those before it have been handed over, and each
     *     further call fails likewise
     */
    public void decode(ByteBuffer chunk, Consumer<? super F> frames) {
        if (broken) {
            throw new MalformedFrameException("The channel has lost its step: it carried a malformed frame before.");
        }
        while (chunk.hasRemaining()) {
            hold(chunk, missing());
            if (missing() == 0) {
                frames.accept(frame());
            }
        }
    }

    /** How many bytes the next field or frame lacks; 0 for a complete frame. */
    private int missing() {
        if (heldBytes < FrameWriter.LENGTH_BYTES) {
            return FrameWriter.LENGTH_BYTES - heldBytes;
        }
        return FrameWriter.LENGTH_BYTES + announced() - heldBytes;
    }

    private int announced() {
        long length = Integer.toUnsignedLong(ByteBuffer.wrap(held).getInt());
        if (length < 1 || length > limitBytes) {
            throw broken("A frame announces " + length + " bytes; 1 to " + limitBytes + " are allowed.");
        }
        return (int) length;
    }

    private void hold(ByteBuffer chunk, int wanted) {
        int count = Math.min(wanted, chunk.remaining());
        if (heldBytes + count > held.length) {
            int whole = FrameWriter.LENGTH_BYTES + limitBytes;
            int reserve = Math.max(FIRST_RESERVE_BYTES, Math.max(heldBytes + count, 2 * held.length));
            held = Arrays.copyOf(held, Math.min(whole, reserve));
        }
        chunk.get(held, heldBytes, count);
        heldBytes += count;
    }

    private F frame() {
        ByteBuffer bytes = ByteBuffer.wrap(held, FrameWriter.LENGTH_BYTES, heldBytes - FrameWriter.LENGTH_BYTES)
                .slice();
        heldBytes = 0;
        try {
            FrameReader reader = new FrameReader(bytes);
            F frame = body.apply(reader);
            reader.end();
            return frame;
        } catch (MalformedFrameException malformed) {
            broken = true;
            throw malformed;
        }
    }

    private MalformedFrameException broken(String sentence) {
        broken = true;
        return new MalformedFrameException(sentence);
    }
}
