package dev.vivarium.node.network;

/**
 * The rate limits of one sandbox's link. A token bucket at each end limits bytes, so that excess packets wait in the
 * sender's own queue, where they cost others no CPU time. The packet filter limits packets.
 *
 * @param bytesPerSecond in each direction
 * @param packetsPerSecond from the sandbox
 */
public record LinkRates(long bytesPerSecond, long packetsPerSecond) {
    /** The burst: more than passes between two of the kernel's 100 ticks a second. */
    private static final long BURST_MILLIS = 20;

    private static final long BURST_BYTES_MIN = 256 * 1024;
    private static final int WAITING_MILLIS = 50;
    /** The kernel counts in 32 bits. */
    private static final long LIMIT_MAX = 0xffff_ffffL;

    /** What passes at once, in bytes. */
    long burst() {
        return Math.min(LIMIT_MAX, Math.max(BURST_BYTES_MIN, bytesPerSecond * BURST_MILLIS / 1000));
    }

    /** What passes or waits, in bytes; the kernel drops the rest. */
    long limit() {
        return Math.min(LIMIT_MAX, bytesPerSecond * WAITING_MILLIS / 1000 + burst());
    }
}
