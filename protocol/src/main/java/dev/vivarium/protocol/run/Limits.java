package dev.vivarium.protocol.run;

/**
 * The hard limits of one run. Each has a default and an operator's ceiling in the node's configuration; a submission
 * names only those that it wants to differ.
 *
 * @param wallClock from the start of the agent's process to the end of its last one; ends the run on the dot
 * @param idle the longest time without output, input or measurable processor use
 * @param cpu the share of processor time that the sandbox gets at most; the kernel throttles above it
 * @param cpuTime processor time used in all
 * @param memory memory of all processes together, files in the workspace not counted
 * @param pids processes and threads alive at once
 * @param disk what may be stored in the workspace and in /tmp together
 * @param output bytes written to stdout and stderr together
 * @param egressRequests connections opened to the outside; the kernel and the gateway let no further one out
 * @param egressBytes bytes over the sandbox's link, in both directions together, with all headers and what was refused
 */
public record Limits(
        TimeSpan wallClock,
        TimeSpan idle,
        CpuQuota cpu,
        TimeSpan cpuTime,
        ByteSize memory,
        int pids,
        ByteSize disk,
        ByteSize output,
        long egressRequests,
        ByteSize egressBytes) {}
