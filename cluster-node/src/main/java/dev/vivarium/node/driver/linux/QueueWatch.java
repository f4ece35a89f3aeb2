package dev.vivarium.node.driver.linux;

import dev.vivarium.node.clock.NodeClock;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Reads a sandbox's uncounted queues only when they may have grown. Reading takes some 0.2 ms, because the kernel walks
 * all of its netlink tables: more than the rest of a sample. Filling queues shows as growth of the kernel's slab
 * memory, which is read once for all sandboxes. Thread-safe.
 */
public final class QueueWatch {
    /** From this growth or this content on, the queues are read at each sample. */
    static final long WORTH_A_LOOK = 4L << 20;

    /** The interval at which they are read in any case. */
    private static final long LOOK_NANOS = Duration.ofSeconds(2).toNanos();

    private final UncountedQueues queues;
    private final KernelSlab slab;
    private final LongSupplier nanos;
    private long bytes;
    private long slabBytes;
    private long lookedNanos;
    private boolean looked;

    /** For the sandbox with these queues. */
    public QueueWatch(UncountedQueues queues, KernelSlab slab, NodeClock clock) {
        this(queues, slab, clock::nanos);
    }

    QueueWatch(UncountedQueues queues, KernelSlab slab, LongSupplier nanos) {
        this.queues = queues;
        this.slab = slab;
        this.nanos = nanos;
    }

    /** The queues' content at the last reading. */
    public synchronized long bytes() {
        long now = nanos.getAsLong();
        long held = slab.bytes();
        boolean nothingNew =
                looked && bytes < WORTH_A_LOOK && held - slabBytes < WORTH_A_LOOK && now - lookedNanos < LOOK_NANOS;
        if (nothingNew) {
            slabBytes = Math.min(slabBytes, held);
        } else {
            bytes = queues.bytes();
            slabBytes = held;
            lookedNanos = now;
            looked = true;
        }
        return bytes;
    }
}
