package dev.vivarium.node.driver.guest;

import java.io.IOException;
import java.nio.ByteBuffer;

/** How a guest's standard output and standard error share its connection. Used by one thread. */
public interface GuestStreams {
    /**
     * Processes bytes, which may begin and end anywhere.
     *
     * @throws IOException when they violate the connection's format
     */
    void split(ByteBuffer bytes, Sink sink) throws IOException;

    /**
     * The connection has ended.
     *
     * @throws IOException when the end is in the middle of a message
     */
    void end() throws IOException;

    /** Receives the bytes of both streams in order of arrival. The buffers are reused. */
    interface Sink {
        /** Frames, in arbitrary pieces. */
        void stdout(ByteBuffer bytes);

        /** Text. */
        void stderr(ByteBuffer bytes);
    }
}
