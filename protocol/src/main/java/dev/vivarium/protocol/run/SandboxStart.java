package dev.vivarium.protocol.run;

/**
 * How an attempt got its sandbox, and where the time to its agent's first moment went. Times are of the node's monotonic clock,
 * in microseconds, and follow each other without a gap.
 *
 * @param birth whether the sandbox waited for a run
 * @param sandboxMicros until the sandbox was there, with the run's limits and network
 * @param preparationMicros from there until its files and secrets were in it
 * @param processMicros from there until the agent's process ran
 */
public record SandboxStart(Birth birth, long sandboxMicros, long preparationMicros, long processMicros) {
    /** Where a sandbox came from. */
    public enum Birth {
        /** It had booted before and waited; since then it has its limits. */
        WARM,
        /** It was created for the attempt. */
        COLD
    }
}
