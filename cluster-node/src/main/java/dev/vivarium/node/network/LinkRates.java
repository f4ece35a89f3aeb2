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

    /** The tc(8) command for packets into an interface. */
    String towards(String link) {
        long burst = Math.max(BURST_BYTES_MIN, bytesPerSecond * BURST_MILLIS / 1000);
        return "qdisc add dev " + link + " root tbf rate " + bytesPerSecond + "bps burst " + burst + " latency "
                + WAITING_MILLIS + "ms";
    }
}
