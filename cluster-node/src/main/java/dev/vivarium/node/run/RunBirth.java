package dev.vivarium.node.run;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.run.RunDecision.Step;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;

/**
 * How a run begins: which submissions are accepted, and with which events. Belongs to one Run and is confined to its
 * thread.
 */
final class RunBirth {
    /** The longest time from the creation of a run's id to its submission; later the run never comes to exist. */
    private static final Duration BIRTH_MAX = Duration.ofHours(1);

    private final RunId id;
    private final RunEnvironment environment;
    private final RunSlot slot;
    private final RunMemory memory;
    private final Logger log;

    RunBirth(RunId id, RunEnvironment environment, RunSlot slot, RunMemory memory, Logger log) {
        this.id = id;
        this.environment = environment;
        this.slot = slot;
        this.memory = memory;
        this.log = log;
    }

    /** What becomes of a submission. */
    sealed interface Beginning {}

    /** It is not accepted. */
    record Refused(SubmitAnswer answer) implements Beginning {}

    /** {@link RunMemory.Remembered} follows, or the submission again. */
    record Deferred() implements Beginning {}

    /** Its first events can be written. */
    record Ready(RunMemory.Remembered remembered) implements Beginning {}

    /**
     * Accepts a submission and has the store remember its run, before anything is durable that a recovery would have to
     * continue, or with it; or defers it until the operation in progress is done.
     */
    Beginning begin(Run.Submit submit) {
        if (memory.phase() == RunMemory.Phase.CHANGING) {
            memory.defer(submit);
            return new Deferred();
        }
        if (isTooLate(submit)) {
            return new Refused(new SubmitAnswer.NotDurable());
        }
        return environment.drain().isDraining() ? new Refused(full()) : take(submit);
    }

    /** Takes the slot before anything is durable, so that a burst cannot take one twice. */
    private Beginning take(Run.Submit submit) {
        Instant now = now();
        String node = environment.nodeName();
        RunEvent submitted = new RunEvent.RunSubmitted(
                now, node, submit.by(), id, submit.spec(), submit.submission(), submit.origin());
        NodeSlots.Offered offered = slot.offer(submit.spec(), now, submit.whenFull());
        return switch (offered.answer()) {
            case HOLDS -> remember(submit, List.of(submitted));
            case WAITS -> remember(submit, List.of(submitted, new RunEvent.RunQueued(now, node)));
            case QUEUE_FULL -> new Refused(full());
            case TENANT_FULL -> new Refused(
                    new SubmitAnswer.TenantFull(submit.spec().tenant()));
            case OVER_QUOTA -> new Refused(
                    new SubmitAnswer.OverQuota(offered.excess().orElseThrow()));
        };
    }

    private Beginning remember(Run.Submit submit, List<RunEvent> events) {
        return memory.remember(submit, events).<Beginning>map(Ready::new).orElseGet(Deferred::new);
    }

    private SubmitAnswer full() {
        return new SubmitAnswer.Full(slot.waiting());
    }

    /** The refusal, when the run could not be recorded or its submission is too late; the run then holds no slot. */
    Optional<SubmitAnswer> prevented(RunMemory.Remembered remembered) {
        remembered.failure().ifPresent(failure -> log.warn("Run {} is not accepted: {}", id, failure.getMessage()));
        if (remembered.failure().isEmpty() && !isTooLate(remembered.submit())) {
            return Optional.empty();
        }
        slot.leave();
        memory.settle();
        return Optional.of(new SubmitAnswer.NotDurable());
    }

    /**
     * The run's first events, including those of its first attempt if it starts immediately. That saves a durable write
     * in the most frequent case.
     */
    List<RunEvent> events(RunMemory.Remembered remembered, Function<RunState, Step> next) {
        RunState born = RunState.initial();
        for (RunEvent event : remembered.events()) {
            born = born.after(event);
        }
        if (!(born instanceof RunState.Submitted) || !(next.apply(born) instanceof Step.Start start)) {
            return remembered.events();
        }
        return Stream.concat(remembered.events().stream(), start.events(now(), environment.nodeName()).stream())
                .toList();
    }

    /** The run is durable. */
    void completed(RunMemory.Remembered remembered, RunState.Existing run) {
        environment.metrics().submitted();
        remembered.submit().replyTo().tell(new SubmitAnswer.Accepted(run));
        memory.settle();
    }

    /** The answer to a further submission with the same id. */
    SubmitAnswer again(RunState.Existing run, Run.Submit submit) {
        return run.submission().digest().equals(submit.submission())
                ? new SubmitAnswer.AcceptedBefore(run)
                : new SubmitAnswer.OtherSubmission(id);
    }

    /**
     * A submission can wait in the mailbox while the store is unavailable; its caller may have submitted another run by
     * then.
     */
    private boolean isTooLate(Run.Submit submit) {
        Duration late = Duration.between(submit.until(), now());
        if (late.isNegative()) {
            return false;
        }
        log.warn(
                "Run {} is not accepted: its submission arrived {} ms after its deadline. Was the store unavailable,"
                        + " or are the clocks of the nodes out of sync?",
                id,
                late.toMillis());
        return true;
    }

    /** Whether the run's id is too old to be submitted. */
    boolean isOver() {
        Instant named = Ulid.from(id.value()).getInstant();
        return Duration.between(named, now()).compareTo(BIRTH_MAX) > 0;
    }

    private Instant now() {
        return environment.sandbox().clock().now();
    }
}
