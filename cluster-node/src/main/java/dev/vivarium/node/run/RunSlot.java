package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.NodeSlots.Seniority;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.time.Instant;
import java.util.Optional;

/** A run's slot on its node. */
final class RunSlot {
    private final RunId id;
    private final String shard;
    private final NodeSlots slots;
    private final long disksInMemory;
    private final Runnable turn;

    /** @param turn called when the run gets a slot after waiting */
    RunSlot(RunId id, String shard, NodeSlots slots, long disksInMemory, Runnable turn) {
        this.id = id;
        this.shard = shard;
        this.slots = slots;
        this.disksInMemory = disksInMemory;
        this.turn = turn;
    }

    /** Claims a slot for a submission; can be refused. */
    NodeSlots.Offered offer(RunSpec spec, Instant submittedAt, WhenFull whenFull) {
        return slots.offer(claim(spec, Seniority.NEW, submittedAt), whenFull);
    }

    /** Claims a slot for an accepted run; whether it has one is checked when it is needed. */
    void claim(RunState.Live run) {
        slots.claim(claimOf(run));
    }

    /** The run starts on its next owner instead of here. */
    void giveBack(RunState.Live run) {
        slots.giveBack(claimOf(run));
    }

    /** The run has ended, was never submitted, or leaves this node. */
    void leave() {
        slots.leave(id);
    }

    RunDecision.Slot held() {
        return slots.isHeldBy(id) ? RunDecision.Slot.HELD : RunDecision.Slot.NOT_HELD;
    }

    /** How many runs wait on the node. */
    int waiting() {
        return slots.waiting();
    }

    /** The run's position in the queue; empty when it does not wait. */
    Optional<QueueView> position() {
        return slots.position(id);
    }

    private NodeSlots.Claim claimOf(RunState.Live run) {
        return claim(
                run.submission().spec(),
                run.attempt() == 0 ? Seniority.NEW : Seniority.INTERRUPTED,
                run.submission().submittedAt());
    }

    private NodeSlots.Claim claim(RunSpec spec, Seniority seniority, Instant submittedAt) {
        return new NodeSlots.Claim(
                id,
                spec.tenant(),
                Capacity.askedBy(spec.limits(), spec.isolation(), disksInMemory),
                TenantUse.of(spec.limits(), spec.egress(), spec.artifacts()),
                seniority,
                submittedAt,
                shard,
                turn);
    }
}
