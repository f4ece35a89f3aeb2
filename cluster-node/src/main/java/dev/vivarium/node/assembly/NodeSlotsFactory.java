package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.Machine;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.QuotaCheck;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import java.util.function.ToLongFunction;

/** Reads a node's number of slots and its queue's limits. */
final class NodeSlotsFactory {
    private static final String UNLIMITED = "unlimited";
    private static final String MACHINE = "machine";

    private NodeSlotsFactory() {}

    /**
     * @param machine where the sandboxes are
     * @param diskBytes what is free of the disk for sandboxes' disks; 0 where all are in memory
     * @param run the block {@code vivarium.run}
     * @param quotas tells whether new runs are within their tenant's quotas
     * @throws ConfigException naming the invalid key
     */
    static NodeSlots of(Config run, Machine machine, long diskBytes, Drain drain, NodeClock clock, QuotaCheck quotas) {
        Machine shared = machine.without(
                ByteSize.parse(run.getString("memory-reserve")).bytes(),
                atLeast(run, "processes-reserve", 0),
                atLeast(run, "open-files-reserve", 0));
        return new NodeSlots(
                new Capacity(
                        atLeast(run, "live-max", 1),
                        amount(run, "memory-max", shared.memoryBytes(), text -> ByteSize.parse(text)
                                .bytes()),
                        amount(run, "cpu-max", Capacity.UNLIMITED, text -> CpuQuota.parse(text)
                                .millicores()),
                        amount(run, "processes-max", shared.processes(), Long::parseLong),
                        amount(run, "open-files-max", shared.openFiles(), Long::parseLong),
                        disk(run, diskBytes)),
                atLeast(run, "queue-max", 0),
                atLeast(run, "queue-tenant-max", 0),
                drain,
                clock::nanos,
                quotas);
    }

    /** A node without a disk for them offers none, whatever the configuration says. */
    private static long disk(Config run, long freeBytes) {
        long reserve = ByteSize.parse(run.getString("disk-reserve")).bytes();
        long offered = freeBytes - Math.min(reserve, freeBytes / 2);
        long configured =
                amount(run, "disk-max", offered, text -> ByteSize.parse(text).bytes());
        return freeBytes == 0 ? 0 : configured;
    }

    private static int atLeast(Config run, String key, int least) {
        int value = run.getInt(key);
        if (value < least) {
            throw new ConfigException.BadValue(run.getValue(key).origin(), key, "must be at least " + least);
        }
        return value;
    }

    private static long amount(Config run, String key, long ofMachine, ToLongFunction<String> parse) {
        String text = run.getString(key);
        if (text.equals(MACHINE)) {
            return ofMachine;
        }
        if (text.equals(UNLIMITED)) {
            return Capacity.UNLIMITED;
        }
        try {
            return parse.applyAsLong(text);
        } catch (IllegalArgumentException wrong) {
            throw new ConfigException.BadValue(
                    run.getValue(key).origin(), key, wrong.getMessage() + " Or say machine, or unlimited.");
        }
    }
}
