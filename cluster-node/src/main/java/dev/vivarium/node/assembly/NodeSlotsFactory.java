package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import java.util.function.ToLongFunction;

/** Reads how many slots a node has, and how many may wait for them. */
final class NodeSlotsFactory {
    private static final String UNLIMITED = "unlimited";

    private NodeSlotsFactory() {}

    /**
     * @param run the block {@code vivarium.run}
     * @throws ConfigException naming the key that is wrong
     */
    static NodeSlots of(Config run, Drain drain, NodeClock clock) {
        return new NodeSlots(
                new Capacity(
                        atLeast(run, "live-max", 1),
                        amount(run, "memory-max", text -> ByteSize.parse(text).bytes()),
                        amount(run, "cpu-max", text -> CpuQuota.parse(text).millicores())),
                atLeast(run, "queue-max", 0),
                atLeast(run, "queue-tenant-max", 0),
                drain,
                clock::nanos);
    }

    private static int atLeast(Config run, String key, int least) {
        int value = run.getInt(key);
        if (value < least) {
            throw new ConfigException.BadValue(run.getValue(key).origin(), key, "must be at least " + least);
        }
        return value;
    }

    private static long amount(Config run, String key, ToLongFunction<String> parse) {
        String text = run.getString(key);
        if (text.equals(UNLIMITED)) {
            return Capacity.UNLIMITED;
        }
        try {
            return parse.applyAsLong(text);
        } catch (IllegalArgumentException wrong) {
            throw new ConfigException.BadValue(
                    run.getValue(key).origin(), key, wrong.getMessage() + " Or say unlimited.");
        }
    }
}
