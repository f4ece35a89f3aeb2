package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.TimeSpan;
import java.util.Optional;

/** The limits that a client named; empty where the node's default is to hold. Meanings as in {@code Limits}. */
record LimitRequest(
        Optional<TimeSpan> wallClock,
        Optional<TimeSpan> idle,
        Optional<CpuQuota> cpu,
        Optional<TimeSpan> cpuTime,
        Optional<ByteSize> memory,
        Optional<Long> pids,
        Optional<ByteSize> disk,
        Optional<ByteSize> output,
        Optional<Long> egressRequests,
        Optional<ByteSize> egressBytes) {
    /** A request that leaves everything to the node. */
    static final LimitRequest NOTHING = new LimitRequest(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
}
