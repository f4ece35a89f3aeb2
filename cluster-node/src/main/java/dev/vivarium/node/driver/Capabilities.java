package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.Isolation;
import java.util.Set;

/**
 * What a driver currently supports.
 *
 * @param isolations the isolation classes of its sandboxes; empty until the engine has answered
 * @param waiting those of them whose sandboxes can wait for a claim
 * @param processes where its sandboxes' processes run
 * @param disks where its sandboxes' disks are
 */
public record Capabilities(Set<Isolation> isolations, Set<Isolation> waiting, Processes processes, Disks disks) {
    public Capabilities {
        isolations = Set.copyOf(isolations);
        waiting = Set.copyOf(waiting);
    }

    /** With all disks in memory, however large. */
    public Capabilities(Set<Isolation> isolations, Set<Isolation> waiting, Processes processes) {
        this(isolations, waiting, processes, Disks.IN_MEMORY);
    }

    /**
     * Where sandboxes' disks are.
     *
     * @param inMemoryBytes the largest that is in memory
     * @param freeBytes what the disk of larger ones had free when the driver was opened; 0 where there are none
     * @param mostBytes the largest that a sandbox may have
     */
    public record Disks(long inMemoryBytes, long freeBytes, long mostBytes) {
        /** All are in memory. */
        public static final Disks IN_MEMORY = inMemory(Long.MAX_VALUE);

        /** All are in memory, up to this size. */
        public static Disks inMemory(long mostBytes) {
            return new Disks(Long.MAX_VALUE, 0, mostBytes);
        }
    }

    /** Where sandboxes' processes run. */
    public enum Processes {
        /** On this machine's kernel, so that the node can give them a network, measure them and kill them. */
        ON_THIS_MACHINE,
        /** On another machine, or nowhere. */
        ELSEWHERE
    }
}
