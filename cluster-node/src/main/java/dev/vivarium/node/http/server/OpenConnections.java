package dev.vivarium.node.http.server;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * Counts connections. Beyond the limit there is a reserve, whose connections are crowded: they get one answer each, health
 * checks the usual one, everything else that the node is full. So a client learns immediately why it is not served, and
 * supervisors do not take the node for dead.
 */
final class OpenConnections {
    /** Connections beyond the limit. */
    static final int RESERVE = 64;
    /** The longest wait for the request of a crowded connection, so that silent ones do not keep the reserve. */
    static final Duration CROWDED_WAIT = Duration.ofSeconds(2);

    private static final AttributeKey<Boolean> CROWDED = AttributeKey.create("crowded", Boolean.class);

    private final int max;
    private final AtomicInteger open = new AtomicInteger();

    OpenConnections(int max) {
        this.max = max;
    }

    /** Counts one more; returns whether it is crowded. */
    boolean openedCrowded() {
        return open.incrementAndGet() > max;
    }

    void closed() {
        open.decrementAndGet();
    }

    static HttpRequest crowded(HttpRequest request) {
        return request.addAttribute(CROWDED, true);
    }

    static boolean isCrowded(HttpRequest request) {
        return request.getAttribute(CROWDED).isPresent();
    }
}
