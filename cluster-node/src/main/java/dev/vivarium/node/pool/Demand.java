package dev.vivarium.node.pool;

import java.time.Duration;

/**
 * How many waiting sandboxes of a kind would have served all its recent runs: the largest backlog that runs, as they came,
 * have made against the rate at which sandboxes are created (a leaky bucket), forgotten by halves. Immutable and pure.
 *
 * @param backlog of sandboxes that were taken and, at that rate, are not replaced yet
 * @param peak the largest backlog, as far as it is not forgotten
 * @param atNanos the time of both
 */
record Demand(double backlog, double peak, long atNanos) {
    /** Less than this is no demand. */
    private static final double NOTHING = 0.5;

    /** Of a kind that no run has asked for. */
    static Demand none(long nowNanos) {
        return new Demand(0, 0, nowNanos);
    }

    /** After a run has taken a sandbox, or would have. */
    Demand taken() {
        return new Demand(backlog + 1, Math.max(peak, backlog + 1), atNanos);
    }

    /**
     * At a later time.
     *
     * @param perSecond how many sandboxes can be created in a second
     */
    Demand at(long nowNanos, double perSecond, Duration halfLife) {
        double passed = Math.max(0, nowNanos - atNanos);
        double left = Math.max(0, backlog - passed / Duration.ofSeconds(1).toNanos() * perSecond);
        return new Demand(left, Math.max(left, peak * Math.pow(2, -passed / halfLife.toNanos())), nowNanos);
    }

    /** How many should wait. */
    int sandboxes() {
        return peak < NOTHING ? 0 : (int) Math.ceil(peak - NOTHING);
    }

    boolean isOver() {
        return peak < NOTHING;
    }
}
