package dev.vivarium.node.placement;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;

/**
 * What a node has for runs, what they hold of it, or what one run asks for.
 *
 * @param runs how many runs
 * @param memoryBytes memory in bytes, disk of sandboxes included, which is memory too
 * @param millicores processors, in thousandths
 */
public record Capacity(long runs, long memoryBytes, long millicores) {
    /** Nothing. */
    public static final Capacity NONE = new Capacity(0, 0, 0);

    /** More of one thing than anybody has. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    public Capacity {
        if (runs < 0 || memoryBytes < 0 || millicores < 0) {
            throw new IllegalArgumentException("A capacity is not negative.");
        }
    }

    /** What a run may use at most, and so what is kept for it. */
    public static Capacity askedBy(Limits limits) {
        return new Capacity(
                1,
                limits.get(Limit.MEMORY).plus(limits.get(Limit.DISK)).bytes(),
                limits.get(Limit.CPU).millicores());
    }

    public Capacity plus(Capacity other) {
        return new Capacity(
                sum(runs, other.runs), sum(memoryBytes, other.memoryBytes), sum(millicores, other.millicores));
    }

    /** What is left; of nothing is less than nothing left. */
    public Capacity minus(Capacity other) {
        return new Capacity(
                difference(runs, other.runs),
                difference(memoryBytes, other.memoryBytes),
                difference(millicores, other.millicores));
    }

    /** Of each the smaller. */
    public Capacity atMost(Capacity other) {
        return new Capacity(
                Math.min(runs, other.runs),
                Math.min(memoryBytes, other.memoryBytes),
                Math.min(millicores, other.millicores));
    }

    /** Whether there is as much of everything as the other has. */
    public boolean covers(Capacity other) {
        return runs >= other.runs && memoryBytes >= other.memoryBytes && millicores >= other.millicores;
    }

    /** The part of it that is left when the other is taken, of what is scarcest: from 0 to 1. */
    double shareLeft(Capacity taken) {
        return Math.min(
                share(runs, taken.runs),
                Math.min(share(memoryBytes, taken.memoryBytes), share(millicores, taken.millicores)));
    }

    private static double share(long all, long taken) {
        return all == 0 ? 0 : (double) difference(all, taken) / all;
    }

    private static long sum(long a, long b) {
        return a == UNLIMITED || b == UNLIMITED ? UNLIMITED : Math.addExact(a, b);
    }

    private static long difference(long all, long taken) {
        return all == UNLIMITED ? UNLIMITED : Math.max(0, all - taken);
    }
}
