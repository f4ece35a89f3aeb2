package dev.vivarium.node.audit;

import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.LogCheck;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.api.AuditCheck;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.SingletonActor;

/**
 * Checks the whole log of events, when the day's check is due or an operator asks for one: a singleton of the cluster,
 * which takes one step of a {@link LogCheck} after the other on the store's threads, with pauses that keep to the
 * configured rate. It only reads, so two of them, as in a split, do no harm. A check ends with its node; the next node
 * begins it again. What was found is kept by all nodes ({@link CheckWatch}), which tell it to a new singleton.
 */
final class Checking extends AbstractBehavior<Checking.Command> {
    private static final String NAME = "audit-check";
    /** Before the first look, so that nodes have told what they know of earlier checks. */
    private static final Duration SETTLE = Duration.ofMinutes(1);

    private static final Duration LOOK = Duration.ofSeconds(30);
    private static final Duration STORE_AWAY = Duration.ofSeconds(10);
    /** After a failure of the check itself, which the next one is likely to have as well. */
    private static final Duration AFTER_FAILURE = Duration.ofHours(1);

    private final AuditLog audit;
    private final CheckSettings settings;
    private final String node;
    private final Clock clock;
    private final TimerScheduler<Command> timers;
    private Optional<AuditCheck.Report> last = Optional.empty();
    private Optional<Running> running = Optional.empty();
    private Instant notBefore = Instant.MIN;

    /** Its commands. */
    sealed interface Command {}

    /**
     * A node tells what it knows, and asks for what is known here.
     *
     * @param replyTo gets an {@link Answer}
     */
    record Compare(Optional<AuditCheck.Report> known, ActorRef<Answer> replyTo) implements Command, AuditMessage {}

    /**
     * An operator asks for a check.
     *
     * @param by the operator
     * @param replyTo gets an {@link Answer}
     */
    record Begin(String by, ActorRef<Answer> replyTo) implements Command, AuditMessage {}

    /** What is known here. */
    record Answer(AuditCheck check) implements AuditMessage {}

    /** The singleton moves to another node. */
    record HandOver() implements Command, AuditMessage {}

    private enum Tick implements Command {
        LOOK,
        STEP
    }

    /** A check has begun; empty when there is no checkpoint. */
    private record Begun(Optional<LogCheck> check, Optional<ActorRef<Answer>> replyTo) implements Command {}

    private record NotBegun(Throwable why, Optional<ActorRef<Answer>> replyTo) implements Command {}

    private record Stepped(int read, Duration took) implements Command {}

    private record Failed(Throwable why) implements Command {}

    /** The check under way. */
    private record Running(LogCheck check, Instant startedAt) {}

    /** Starts the singleton; every node calls it and gets the way to it. */
    static ActorRef<Command> start(ActorSystem<?> system, AuditLog audit, CheckSettings settings, String node) {
        return ClusterSingleton.get(system)
                .init(SingletonActor.of(create(audit, settings, node, Clock.systemUTC(), SETTLE), NAME)
                        .withStopMessage(new HandOver()));
    }

    /** The singleton's behaviour, with the time before its first look. */
    static Behavior<Command> create(AuditLog audit, CheckSettings settings, String node, Clock clock, Duration settle) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Tick.LOOK, Tick.LOOK, settle, LOOK);
            return new Checking(context, timers, audit, settings, node, clock);
        }));
    }

    private Checking(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            AuditLog audit,
            CheckSettings settings,
            String node,
            Clock clock) {
        super(context);
        this.timers = timers;
        this.audit = audit;
        this.settings = settings;
        this.node = node;
        this.clock = clock;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Compare.class, this::compare)
                .onMessage(Begin.class, this::begin)
                .onMessageEquals(Tick.LOOK, this::look)
                .onMessage(Begun.class, this::begun)
                .onMessage(NotBegun.class, this::notBegun)
                .onMessageEquals(Tick.STEP, this::step)
                .onMessage(Stepped.class, this::stepped)
                .onMessage(Failed.class, this::failed)
                .onMessage(HandOver.class, handOver -> Behaviors.stopped())
                .build();
    }

    private Behavior<Command> compare(Compare told) {
        told.known()
                .filter(report -> last.map(report::isNewerThan).orElse(true))
                .ifPresent(report -> last = Optional.of(report));
        told.replyTo().tell(answer());
        return this;
    }

    private Answer answer() {
        return new Answer(new AuditCheck(
                last,
                running.map(now -> new AuditCheck.Progress(
                        now.startedAt(), node, now.check().size(), now.check().looked()))));
    }

    private Behavior<Command> begin(Begin asked) {
        if (running.isPresent()) {
            asked.replyTo().tell(answer());
            return this;
        }
        getContext().getLog().info("{} asks for a check of the log of all events.", asked.by());
        begin(Optional.of(asked.replyTo()));
        return this;
    }

    private Behavior<Command> look() {
        Instant now = clock.instant();
        if (running.isEmpty() && !now.isBefore(notBefore) && settings.isDue(last, now)) {
            begin(Optional.empty());
        }
        return this;
    }

    private void begin(Optional<ActorRef<Answer>> replyTo) {
        getContext()
                .pipeToSelf(
                        audit.beginCheck(),
                        (check, failure) ->
                                failure == null ? new Begun(check, replyTo) : new NotBegun(failure, replyTo));
    }

    private Behavior<Command> begun(Begun begun) {
        // Two requests may have met.
        if (running.isEmpty() && begun.check().isPresent()) {
            running = begun.check().map(check -> new Running(check, clock.instant()));
            getContext().getSelf().tell(Tick.STEP);
        }
        begun.replyTo().ifPresent(asking -> asking.tell(answer()));
        return this;
    }

    private Behavior<Command> notBegun(NotBegun not) {
        Throwable why = StageFailure.cause(not.why());
        getContext()
                .getLog()
                .warn("The log of all events is not checked for now: {}", String.valueOf(why.getMessage()));
        not.replyTo().ifPresent(asking -> asking.tell(answer()));
        return this;
    }

    private Behavior<Command> step() {
        running.ifPresent(now -> {
            Instant began = clock.instant();
            getContext()
                    .pipeToSelf(
                            audit.step(now.check()),
                            (read, failure) -> failure == null
                                    ? new Stepped(read, Duration.between(began, clock.instant()))
                                    : new Failed(failure));
        });
        return this;
    }

    private Behavior<Command> stepped(Stepped step) {
        running.ifPresent(now -> {
            List<String> findings = now.check().findings();
            if (now.check().isDone()) {
                last = Optional.of(report(now, Optional.of(clock.instant()), findings));
                running = Optional.empty();
                getContext()
                        .getLog()
                        .info(
                                "The check of the log of all events has ended: {} events, {} findings.",
                                now.check().size(),
                                findings.size());
                return;
            }
            if (!findings.isEmpty()) {
                last = Optional.of(report(now, Optional.empty(), findings));
            }
            Duration due = Duration.ofNanos(Duration.ofSeconds(1).toNanos() * step.read() / settings.eventsPerSecond());
            Duration pause = due.minus(step.took());
            timers.startSingleTimer(Tick.STEP, Tick.STEP, pause.isNegative() ? Duration.ZERO : pause);
        });
        return this;
    }

    private AuditCheck.Report report(Running now, Optional<Instant> endedAt, List<String> findings) {
        return new AuditCheck.Report(now.startedAt(), endedAt, node, now.check().size(), findings);
    }

    /** A store that is away is waited for; whatever else fails is a fault of the check's. */
    private Behavior<Command> failed(Failed failed) {
        Throwable why = StageFailure.cause(failed.why());
        if (why instanceof StoreUnavailable) {
            timers.startSingleTimer(Tick.STEP, Tick.STEP, STORE_AWAY);
            return this;
        }
        running = Optional.empty();
        notBefore = clock.instant().plus(AFTER_FAILURE);
        getContext().getLog().error("The check of the log of all events has failed, and begins again later", why);
        return this;
    }
}
