package dev.vivarium.node.placement;

import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.List;
import java.util.OptionalLong;

/**
 * What runs take of their tenant's quotas, or one run: its limits, as it was submitted with them, whether or not it has a
 * slot yet.
 *
 * @param runs how many runs have not ended
 * @param waiting how many of them wait for a slot
 * @param egressBytes what they may send and receive over the network; nodes of an earlier version report 0
 * @param keptBytes what may be kept of them, and what this node has stored lately; nodes of an earlier version report 0
 */
public record TenantUse(
        long runs,
        long waiting,
        long memoryBytes,
        long millicores,
        long pids,
        long diskBytes,
        long egressBytes,
        long keptBytes) {
    /** Nothing. */
    public static final TenantUse NONE = new TenantUse(0, 0, 0, 0, 0, 0, 0, 0);

    /** A place in a queue. */
    static final TenantUse WAITING = new TenantUse(0, 1, 0, 0, 0, 0, 0, 0);

    /**
     * One run with these limits.
     *
     * @param artifacts what is kept of its workspace
     */
    public static TenantUse of(Limits limits, EgressPolicy egress, List<String> artifacts) {
        return new TenantUse(
                1,
                0,
                Limit.MEMORY.amountIn(limits),
                Limit.CPU.amountIn(limits),
                Limit.PIDS.amountIn(limits),
                Limit.DISK.amountIn(limits),
                egress.mode() == EgressPolicy.Mode.NONE ? 0 : Limit.EGRESS_BYTES.amountIn(limits),
                Limit.OUTPUT.amountIn(limits) + (artifacts.isEmpty() ? 0 : Limit.ARTIFACTS.amountIn(limits)));
    }

    /** What was sent and received over the network. */
    public static TenantUse ofEgress(long bytes) {
        return new TenantUse(0, 0, 0, 0, 0, 0, bytes, 0);
    }

    /** What is kept. */
    public static TenantUse ofKept(long bytes) {
        return new TenantUse(0, 0, 0, 0, 0, 0, 0, bytes);
    }

    public TenantUse plus(TenantUse other) {
        return new TenantUse(
                runs + other.runs,
                waiting + other.waiting,
                memoryBytes + other.memoryBytes,
                millicores + other.millicores,
                pids + other.pids,
                diskBytes + other.diskBytes,
                egressBytes + other.egressBytes,
                keptBytes + other.keptBytes);
    }

    public TenantUse minus(TenantUse other) {
        return new TenantUse(
                runs - other.runs,
                waiting - other.waiting,
                memoryBytes - other.memoryBytes,
                millicores - other.millicores,
                pids - other.pids,
                diskBytes - other.diskBytes,
                egressBytes - other.egressBytes,
                keptBytes - other.keptBytes);
    }

    /** What is used of a quota, in its unit; empty for a quota of a rate, and for the weight. */
    public OptionalLong of(Quota quota) {
        return switch (quota) {
            case RUNS -> OptionalLong.of(runs);
            case WAITING -> OptionalLong.of(waiting);
            case MEMORY -> OptionalLong.of(memoryBytes);
            case CPU -> OptionalLong.of(millicores);
            case PIDS -> OptionalLong.of(pids);
            case DISK -> OptionalLong.of(diskBytes);
            case EGRESS -> OptionalLong.of(egressBytes);
            case KEPT -> OptionalLong.of(keptBytes);
            case SUBMISSIONS, READS, WEIGHT -> OptionalLong.empty();
        };
    }
}
