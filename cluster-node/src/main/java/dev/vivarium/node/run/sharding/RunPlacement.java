package dev.vivarium.node.run.sharding;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeLoad;
import dev.vivarium.node.placement.NodeLoads;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.Placement;
import dev.vivarium.node.placement.Placement.Choice;
import dev.vivarium.node.placement.TenantLoad;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Places runs by this node's actual slots and the others' last reports. An id determines a shard: ids are generated
 * until one falls into a wanted shard, which takes a few tries. Thread-safe.
 */
final class RunPlacement {
    /** More than enough to hit one shard of some hundreds by chance; beyond it any id will do. */
    private static final int NAMES_MAX = 5_000;

    private final NodeSlots slots;
    private final Drain drain;
    private final NodeClock clock;
    private final NodeLoads nodeLoads;
    private final String ownAddress;
    private final Set<String> allShards;
    private final Function<RunId, String> shardOf;

    RunPlacement(
            NodeSlots slots,
            Drain drain,
            NodeClock clock,
            NodeLoads nodeLoads,
            String ownAddress,
            Set<String> allShards,
            Function<RunId, String> shardOf) {
        this.slots = slots;
        this.drain = drain;
        this.clock = clock;
        this.nodeLoads = nodeLoads;
        this.ownAddress = ownAddress;
        this.allShards = Set.copyOf(allShards);
        this.shardOf = shardOf;
    }

    /** Chooses where to create a new run. */
    Placed place(Capacity needs) {
        if (drain.isDraining()) {
            return new Placed.Refused(nameIn(Set.of()), new SubmitAnswer.Draining());
        }
        List<NodeLoad> loads =
                nodeLoads.loads().stream().map(load -> upToDate(load, needs)).toList();
        Choice choice = Placement.choose(loads, allShards, needs);
        if (choice instanceof Choice.InOneOf room) {
            return new Placed.Room(nameIn(room.shards()), Placed.Name.OWN, needs, room.whenFull());
        }
        if (choice instanceof Choice.TooLarge tooLarge) {
            return new Placed.Refused(nameIn(Set.of()), new SubmitAnswer.TooLarge(tooLarge.largest()));
        }
        // This node may not have received its own first report yet.
        boolean ownIsUnknown = loads.stream().noneMatch(this::isOwn);
        return ownIsUnknown && !slots.isFull(needs)
                ? new Placed.Room(nameIn(Set.of()), Placed.Name.OWN, needs, WhenFull.QUEUE)
                : new Placed.Refused(nameIn(Set.of()), ownFull());
    }

    /** Whether a run can be created in the shard of its id. */
    Placed placeNamed(RunId id, Capacity needs) {
        if (drain.isDraining()) {
            return new Placed.Refused(id, new SubmitAnswer.Draining());
        }
        Optional<Capacity> largest = Placement.largestIfTooSmall(nodeLoads.loads(), needs);
        if (largest.isPresent()) {
            return new Placed.Refused(id, new SubmitAnswer.TooLarge(largest.get()));
        }
        Optional<NodeLoad> other = nodeLoads.holding(shardOf.apply(id)).filter(load -> !isOwn(load));
        if (other.isPresent()) {
            NodeLoad load = other.get();
            return load.hasSlotFor(needs) || load.hasQueueRoom()
                    ? new Placed.Room(id, Placed.Name.CLAIMED, needs, WhenFull.QUEUE)
                    : new Placed.Refused(id, new SubmitAnswer.Full(load.waiting()));
        }
        return slots.isFull(needs)
                ? new Placed.Refused(id, ownFull())
                : new Placed.Room(id, Placed.Name.CLAIMED, needs, WhenFull.QUEUE);
    }

    private SubmitAnswer ownFull() {
        return new SubmitAnswer.Full(slots.waiting());
    }

    /** This node's own report is adjusted by its placements since; only whether it is full is checked again. */
    private NodeLoad upToDate(NodeLoad load, Capacity needs) {
        if (!isOwn(load)) {
            return load;
        }
        if (slots.isFull(needs)) {
            return load.full();
        }
        return load.hasSlotFor(needs) || load.hasQueueRoom() ? load : load.with(slots.count());
    }

    private boolean isOwn(NodeLoad load) {
        return load.address().equals(ownAddress);
    }

    /** Whether the run's journal was never written, and its entity will be created here: nobody else knows the id. */
    boolean isBornHere(Placed.Room place) {
        return place.name() == Placed.Name.OWN
                && nodeLoads
                        .holding(shardOf.apply(place.id()))
                        .filter(this::isOwn)
                        .isPresent();
    }

    /** The run was just sent to its place. */
    void sent(Placed.Room place, TenantLoad tenant) {
        nodeLoads.placedIn(shardOf.apply(place.id()), place.needs(), tenant);
    }

    /**
     * It found no room there: until that node reports again, it is treated as having no free slot, or no room at all.
     */
    void foundFull(Placed.Room place) {
        String shard = shardOf.apply(place.id());
        if (place.whenFull() == WhenFull.REFUSE) {
            nodeLoads.takenAt(shard);
        } else {
            nodeLoads.fullAt(shard);
        }
    }

    /** A new id in one of the wanted shards; in any shard if none is wanted. */
    RunId nameIn(Set<String> wanted) {
        RunId id = name();
        for (int tries = 1; tries < NAMES_MAX && !wanted.isEmpty() && !wanted.contains(shardOf.apply(id)); tries++) {
            id = name();
        }
        return id;
    }

    private RunId name() {
        long now = clock.now().toEpochMilli();
        return new RunId(UlidCreator.getUlid(now).toLowerCase());
    }
}
