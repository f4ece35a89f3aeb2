package dev.vivarium.node.run;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.placement.NodeSlots.Seniority;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.time.Instant;
import java.util.Optional;

/** One run's slot of its node: claimed, waited for, given back. */
final class RunSlot {
    private final RunId id;
    private final String shard;
    private final NodeSlots slots;
    private final Runnable turn;

    /** @param turn called when it gets a slot that it had to wait for */
    RunSlot(RunId id, String shard, NodeSlots slots, Runnable turn) {
        this.id = id;
        this.shard = shard;
        this.slots = slots;
        this.turn = turn;
    }

    /** Claims one for a submission, which may be refused. */
    NodeSlots.Answer offer(RunSpec spec, Instant submittedAt, WhenFull whenFull) {
        return slots.offer(claim(spec, Seniority.NEW, submittedAt), whenFull);
    }

    /** Claims one for a run that was accepted; whether there is one is asked when the run needs it. */
    void claim(RunState.Live run) {
        slots.claim(claimOf(run));
    }

    /** The run does not begin here, but where it is held next. */
    void giveBack(RunState.Live run) {
        slots.giveBack(claimOf(run));
    }

    /** The run has ended, was never born, or leaves this node. */
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

    /** Where the run stands among them; empty when it does not wait. */
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
                id, spec.tenant(), Capacity.askedBy(spec.limits()), seniority, submittedAt, shard, turn);
    }
}
