package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A node of the cluster, as it last reported itself.
 *
 * @param name its name, as it appears in events
 * @param address its address in the cluster, {@code host:port}
 * @param intake whether it takes new runs
 * @param capacity what it offers to runs
 * @param taken what the runs placed on it reserve
 * @param waiting how many runs are queued on it
 * @param waitingMax the queue's maximum length
 * @param shards how many shards it owns
 * @param pool its sandboxes that wait for a run; empty when its version has none
 */
public record NodeView(
        String name,
        String address,
        Intake intake,
        Room capacity,
        Room taken,
        int waiting,
        int waitingMax,
        int shards,
        Optional<Pool> pool) {
    /** Whether a node takes new runs. */
    public enum Intake {
        OPEN,
        CLOSED
    }

    /**
     * Capacity for runs, or how much of it is reserved.
     *
     * @param runs how many
     * @param memoryBytes their memory, with the disks that are in memory; empty when unlimited
     * @param millicores processors, in thousandths; empty when unlimited
     * @param processes processes and threads of the machine; empty when unlimited
     * @param openFiles open files of the machine; empty when unlimited
     * @param diskBytes disks that are not in memory; empty when unlimited
     */
    public record Room(
            long runs,
            OptionalLong memoryBytes,
            OptionalLong millicores,
            OptionalLong processes,
            OptionalLong openFiles,
            OptionalLong diskBytes) {
        /** What less than a tenth of it is left of, once this much is taken. */
        List<Scarce> scarce(Room taken) {
            List<Scarce> scarce = new ArrayList<>();
            if (isScarce(OptionalLong.of(runs), OptionalLong.of(taken.runs))) {
                scarce.add(Scarce.RUNS);
            }
            if (isScarce(memoryBytes, taken.memoryBytes)) {
                scarce.add(Scarce.MEMORY);
            }
            if (isScarce(millicores, taken.millicores)) {
                scarce.add(Scarce.PROCESSORS);
            }
            if (isScarce(processes, taken.processes)) {
                scarce.add(Scarce.PROCESSES);
            }
            if (isScarce(openFiles, taken.openFiles)) {
                scarce.add(Scarce.OPEN_FILES);
            }
            if (diskBytes.orElse(0) > 0 && isScarce(diskBytes, taken.diskBytes)) {
                scarce.add(Scarce.DISK);
            }
            return List.copyOf(scarce);
        }

        private static boolean isScarce(OptionalLong all, OptionalLong taken) {
            // A tenth of the whole, in whole numbers.
            return all.isPresent()
                    && taken.isPresent()
                    && all.getAsLong() - taken.getAsLong() < (all.getAsLong() + 9) / 10;
        }
    }

    /**
     * A node's sandboxes that have booted and wait for a run, and how its runs started.
     *
     * @param waiting how many wait
     * @param ceiling how many may wait
     * @param warm how many attempts have got one that waited, since the node's start
     * @param cold how many have got a new one
     */
    public record Pool(int waiting, int ceiling, long warm, long cold) {}

    /** What a node can be short of. */
    public enum Scarce {
        RUNS,
        MEMORY,
        PROCESSORS,
        PROCESSES,
        OPEN_FILES,
        DISK
    }

    /** What less than a tenth is left of, so that new runs may have to wait for it. */
    @JsonProperty(access = JsonProperty.Access.READ_ONLY)
    public List<Scarce> scarce() {
        return capacity.scarce(taken);
    }
}
