package dev.vivarium.protocol.guest;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Splits a channel's byte stream into frames, whatever its chunking. Buffers at most one incomplete frame, and only
 * bytes that have arrived: an announced length allocates nothing. Not thread-safe.
 *
 * @param <F> the frames of the channel's other side
 */
public final class FrameDecoder<F> {
    private static final int FIRST_RESERVE_BYTES = 512;

    private final int limitBytes;
    private final Function<FrameReader, F> body;
    /** The incomplete frame, including its length prefix. */
    private byte[] held = new byte[0];

    private int heldBytes;
    private boolean broken;

    FrameDecoder(int limitBytes, Function<FrameReader, F> body) {
        this.limitBytes = limitBytes;
        this.body = body;
    }

    /**
     * Consumes the chunk and passes on each completed frame in order.
     *
     * @throws MalformedFrameException when the bytes are not a frame; frames before it were passed on, and every
     *     further call fails too
     */
    public void decode(ByteBuffer chunk, Consumer<? super F> frames) {
        if (broken) {
            throw new MalformedFrameException("The channel is out of step: it carried a malformed frame before.");
        }
        while (chunk.hasRemaining()) {
            hold(chunk, missing());
            if (missing() == 0) {
                frames.accept(frame());
            }
        }
    }

    /** Bytes missing from the next field or frame; 0 for a complete frame. */
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
