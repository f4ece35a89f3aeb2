package dev.vivarium.node.placement;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/**
 * What the nodes have last told of their loads, and what this node has placed on them since. A node that has not told
 * anything for a while is not counted on. Safe for use by any thread.
 */
public final class NodeLoads {
    private static final long TOLD_NANOS_MAX = Duration.ofSeconds(5).toNanos();

    private final LongSupplier nanos;
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();

    private record Entry(NodeLoad load, long toldAtNanos) {}

    /** @param nanos a clock that never jumps, in nanoseconds */
    public NodeLoads(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** A node has told its load. */
    public void told(NodeLoad load) {
        entries.put(load.address(), new Entry(load, nanos.getAsLong()));
    }

    /** This node has just sent a run that asks for so much to the shard. */
    public void placedIn(String shard, Capacity asked) {
        change(shard, load -> load.withOneMore(asked));
    }

    /** The node that holds the shard has just refused a run that would not wait: until it tells otherwise it has no slot. */
    public void takenAt(String shard) {
        change(shard, NodeLoad::withoutSlot);
    }

    /** The node that holds the shard has just refused a run for want of room: until it tells otherwise it has none. */
    public void fullAt(String shard) {
        change(shard, NodeLoad::full);
    }

    private void change(String shard, UnaryOperator<NodeLoad> by) {
        entries.replaceAll((address, entry) ->
                entry.load.shards().contains(shard) ? new Entry(by.apply(entry.load), entry.toldAtNanos) : entry);
    }

    /** The loads of all nodes that have told of theirs lately. */
    public List<NodeLoad> loads() {
        entries.values().removeIf(entry -> nanos.getAsLong() - entry.toldAtNanos > TOLD_NANOS_MAX);
        return entries.values().stream().map(Entry::load).toList();
    }

    /** The load of the node at the address. */
    public Optional<NodeLoad> of(String address) {
        return loads().stream().filter(load -> load.address().equals(address)).findFirst();
    }

    /** The load of the node that holds the shard. */
    public Optional<NodeLoad> holding(String shard) {
        return loads().stream().filter(load -> load.shards().contains(shard)).findFirst();
    }
}
