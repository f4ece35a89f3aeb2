package dev.vivarium.node.http.server.http2;

import java.util.concurrent.TimeUnit;

/**
 * What a connection may do that leads to no answer: frames that carry nothing, streams that are opened and given up. A token
 * bucket; an empty one ends the connection. RFC 9113, section 10.5, names the abuses.
 */
final class Patience {
    /** A frame that carries nothing. */
    static final int FRAME = 1;
    /** A stream that ends before its answer does. */
    static final int STREAM = 20;

    private static final int BURST = 2_000;
    private static final int PER_SECOND = 200;

    private double left = BURST;
    private long since;

    Patience(long now) {
        this.since = now;
    }

    void use(int cost, long now) throws ConnectionError {
        double gained = (double) (now - since) / TimeUnit.SECONDS.toNanos(1) * PER_SECOND;
        since = now;
        left = Math.min(BURST, left + gained) - cost;
        if (left < 0) {
            throw new ConnectionError(
                    ErrorCode.ENHANCE_YOUR_CALM, "Too many frames that carry nothing, or streams that were given up.");
        }
    }
}
