package dev.vivarium.node.driver.guest;

import java.io.IOException;
import java.nio.ByteBuffer;

/** How a guest's standard output and standard error share the connection to it. Used by one thread. */
public interface GuestStreams {
    /**
     * Takes in all of the bytes, which may begin and end anywhere.
     *
     * @throws IOException when they are not in the form that the other side of the connection writes
     */
    void split(ByteBuffer bytes, Sink sink) throws IOException;

    /**
     * Nothing more comes.
     *
     * @throws IOException when the end is in the middle of something
     */
    void end() throws IOException;

    /** Takes the bytes of both streams in the order in which they came. The buffers are reused. */
    interface Sink {
        /** Frames, in pieces. */
        void stdout(ByteBuffer bytes);

        /** Text. */
        void stderr(ByteBuffer bytes);
    }
}
