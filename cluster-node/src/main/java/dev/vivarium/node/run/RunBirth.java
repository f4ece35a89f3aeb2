package dev.vivarium.node.run;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.node.run.RunDecision.Conditions;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;

/** How a run is born: which submissions are taken, and with which events. */
final class RunBirth {
    /** Nobody tries to submit a run for so long after it got its name, so one that was not born by then never is. */
    private static final Duration BIRTH_MAX = Duration.ofHours(1);

    private final RunId id;
    private final RunEnvironment environment;
    private final RunSlot slot;
    private final Logger log;

    /** What a submission comes to. */
    sealed interface Taken {
        /** It may be born with these events. */
        record With(List<RunEvent> events) implements Taken {}

        /** It is not taken. */
        record Refused(SubmitAnswer answer) implements Taken {}
    }

    RunBirth(RunId id, RunEnvironment environment, RunSlot slot, Logger log) {
        this.id = id;
        this.environment = environment;
        this.slot = slot;
        this.log = log;
    }

    /** Takes the slot before anything is durable, so that a burst cannot take one twice. */
    Taken take(Run.Submit submit) {
        if (isTooLate(submit)) {
            return new Taken.Refused(new SubmitAnswer.NotDurable());
        }
        if (environment.drain().isDraining()) {
            return full();
        }
        Instant now = environment.sandbox().clock().now();
        String node = environment.nodeName();
        RunEvent submitted = new RunEvent.RunSubmitted(now, node, submit.by(), id, submit.spec(), submit.submission());
        return switch (slot.offer(submit.spec(), now, submit.whenFull())) {
            case HOLDS -> new Taken.With(List.of(submitted));
            case WAITS -> new Taken.With(List.of(submitted, new RunEvent.RunQueued(now, node)));
            case QUEUE_FULL -> full();
            case TENANT_FULL -> new Taken.Refused(
                    new SubmitAnswer.TenantFull(submit.spec().tenant()));
        };
    }

    private Taken full() {
        return new Taken.Refused(new SubmitAnswer.Full(slot.waiting()));
    }

    /** One durable write instead of two for the most frequent way of a run: it starts as soon as it is there. */
    List<RunEvent> withFirstAttempt(List<RunEvent> events, Function<RunState, Conditions> conditions) {
        RunState born = RunState.initial();
        for (RunEvent event : events) {
            born = born.after(event);
        }
        if (!(born instanceof RunState.Submitted)
                || !(RunDecision.next(born, conditions.apply(born)) instanceof RunDecision.Step.Start start)) {
            return events;
        }
        return Stream.concat(
                        events.stream(),
                        start.events(environment.sandbox().clock().now(), environment.nodeName()).stream())
                .toList();
    }

    /** A submission outlasts a store that is away, in the mailbox; its caller may have made another one by then. */
    boolean isTooLate(Run.Submit submit) {
        Duration late =
                Duration.between(submit.until(), environment.sandbox().clock().now());
        if (late.isNegative()) {
            return false;
        }
        log.warn(
                "Run {} is not accepted: its submission came {} ms after its time. Was the store away, or are the"
                        + " clocks of the nodes not in step?",
                id,
                late.toMillis());
        return true;
    }

    /** Whether the run's name is so old that nobody submits it any more. */
    boolean isOver() {
        Instant named = Ulid.from(id.value()).getInstant();
        return Duration.between(named, environment.sandbox().clock().now()).compareTo(BIRTH_MAX) > 0;
    }
}
