package dev.vivarium.protocol.guest;

import java.nio.ByteBuffer;

/**
 * The wire format of the guest protocol, version 5, in both directions; {@code PROTOCOL.md} beside the guest's source is
 * its specification. The node encodes {@link NodeFrame}s and decodes {@link GuestFrame}s; the other way round serves
 * tests that play the guest.
 */
public final class GuestCodec {
    /** The version that this codec speaks, as {@link GuestFrame.Hello} names it. */
    public static final int PROTOCOL_VERSION = 5;

    /** The longest frame from a node: type and payload, without the four bytes of the length prefix. */
    public static final int NODE_FRAME_LIMIT_BYTES = 1 << 20;

    /** The longest frame from a guest: type and payload, without the four bytes of the length prefix. */
    public static final int GUEST_FRAME_LIMIT_BYTES = 65_600;

    /** The most data in one {@link GuestFrame.Output}. */
    public static final int OUTPUT_LIMIT_BYTES = 1 << 16;

    /**
     * Data that fits into one {@link NodeFrame.WriteFile} with a path of any length; larger files are sent in parts of
     * this size.
     */
    public static final int FILE_PART_BYTES = 1 << 19;

    /** The most data in one {@link GuestFrame.FileRead}. */
    public static final int READ_LIMIT_BYTES = 1 << 16;

    private GuestCodec() {}

    /**
     * Encodes a frame for sending.
     *
     * @throws MalformedFrameException when a field is out of its range, a text cannot be encoded, or the frame is
     *     longer than {@link #NODE_FRAME_LIMIT_BYTES}
     */
    public static ByteBuffer encode(NodeFrame frame) {
        FrameWriter writer = new FrameWriter(NODE_FRAME_LIMIT_BYTES);
        NodeFrames.write(frame, writer);
        return writer.finish();
    }

    /**
     * Encodes a frame for sending.
     *
     * @throws MalformedFrameException when a field is out of its range, or the frame is longer than {@link
     *     #GUEST_FRAME_LIMIT_BYTES}
     */
    public static ByteBuffer encode(GuestFrame frame) {
        FrameWriter writer = new FrameWriter(GUEST_FRAME_LIMIT_BYTES);
        GuestFrames.write(frame, writer);
        return writer.finish();
    }

    /** A decoder for frames from a guest. */
    public static FrameDecoder<GuestFrame> guestFrames() {
        return new FrameDecoder<>(GUEST_FRAME_LIMIT_BYTES, GuestFrames::read);
    }

    /** A decoder for frames from a node. */
    public static FrameDecoder<NodeFrame> nodeFrames() {
        return new FrameDecoder<>(NODE_FRAME_LIMIT_BYTES, NodeFrames::read);
    }
}
