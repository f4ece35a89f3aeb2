package dev.vivarium.node.http.server.http2;

import java.time.Duration;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.util.ByteString;

/** What serves a connection, and bounds it. */
public interface Hosting {
    /** One stream: what a connection of HTTP/1.1 is, with one request. */
    interface Seat {
        /** Takes a request in HTTP/1.1 and gives its answer. */
        Flow<ByteString, ByteString, NotUsed> server();

        /** Its client does not take its answer, since now. */
        void unread();

        /** Its client has taken all there was. */
        void read();

        /** Whether its client has not read for too long, and nothing is worked on for a caller. */
        boolean isInVain();

        /** It is over. Idempotent. */
        void closed();
    }

    /**
     * A new stream.
     *
     * @param end ends the stream; idempotent, never blocks
     * @param known is to be run when the stream's request is that of a known caller; idempotent, never blocks
     */
    Seat open(Runnable end, Runnable known);

    /**
     * The connection is served from now on.
     *
     * @param leave ends it when no request is in progress
     * @param gone ends it at once
     */
    void served(Runnable leave, Runnable gone);

    /** No further request is taken. */
    void leaving();

    /** The client broke the protocol, or took more than its share. */
    void failed(String code);

    /** The longest time without a request. */
    Duration requestWait();
}
