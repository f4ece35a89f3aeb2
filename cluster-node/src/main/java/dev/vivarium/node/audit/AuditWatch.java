package dev.vivarium.node.audit;

import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.TreeDamaged;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.run.RunId;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * A node's side of the order of events: tells the sequencer of the runs that the node has written to, some at a time, and
 * looks each second how far the order reaches. What it tells may be lost; the sequencer's sweep finds it then. Lives as
 * long as the node's actors.
 */
public final class AuditWatch extends AbstractBehavior<AuditWatch.Command> {
    private static final Duration GATHER = Duration.ofMillis(50);
    private static final Duration LOOK = Duration.ofSeconds(1);
    /** With so many runs gathered, the sequencer is told before the interval ends. */
    private static final int GATHERED_MAX = 1_000;

    private final AuditLog audit;
    private final ActorRef<Sequencing.Command> sequencer;
    private final LastSeen lastSeen;
    private final TimerScheduler<Command> timers;
    private final Set<RunId> gathered = new LinkedHashSet<>();

    /** Its commands. */
    public sealed interface Command {}

    private record Written(RunId run) implements Command {}

    private record Seen(AuditHead head) implements Command {}

    private record Unseen() implements Command {}

    private record Logged(LogHead head) implements Command {}

    /** The log is not the one that this node has seen, or the store does not answer. */
    private record Unlogged(Throwable why) implements Command {}

    private enum Tick implements Command {
        TELL,
        LOOK
    }

    /** Starts the watch, and the sequencer if the cluster wants it here; registers both's metrics. */
    public static void start(ActorSystem<?> system, AuditLog audit, MeterRegistry metrics) {
        LastSeen lastSeen = new LastSeen();
        Gauge.builder("vivarium.audit.lag.seconds", lastSeen, LastSeen::lagSeconds)
                .description("How long the oldest event without a position has waited for one; NaN while the store does"
                        + " not say")
                .register(metrics);
        Gauge.builder("vivarium.audit.events", lastSeen, LastSeen::size)
                .description("Events that have a position in the order over all runs")
                .register(metrics);
        Gauge.builder("vivarium.audit.checkpoint.events", lastSeen, LastSeen::signed)
                .description(
                        "Events of the log's last signed checkpoint, normally as many as have a position; NaN while the"
                                + " store does not say")
                .register(metrics);
        Gauge.builder("vivarium.audit.log.refused", lastSeen, LastSeen::refused)
                .description("1 while the store's log is not the one that this node has seen, so that no checkpoint is"
                        + " signed; else 0")
                .register(metrics);
        ActorRef<Sequencing.Command> sequencer = Sequencing.start(system, audit);
        system.systemActorOf(
                Behaviors.<Command>setup(context ->
                        Behaviors.withTimers(timers -> new AuditWatch(context, timers, audit, sequencer, lastSeen))),
                "audit-watch",
                Props.empty());
    }

    /** What the metrics show. */
    private static final class LastSeen {
        private volatile Optional<AuditHead> head = Optional.empty();
        private volatile Optional<LogHead> log = Optional.empty();
        private volatile String refusal = "";

        double signed() {
            return log.map(seen -> (double) seen.claimedSize()).orElse(Double.NaN);
        }

        double refused() {
            return refusal.isEmpty() ? 0 : 1;
        }

        double lagSeconds() {
            return head.map(seen -> seen.lagMillis() / 1_000.0).orElse(Double.NaN);
        }

        double size() {
            return head.map(seen -> (double) seen.size()).orElse(Double.NaN);
        }
    }

    private AuditWatch(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            AuditLog audit,
            ActorRef<Sequencing.Command> sequencer,
            LastSeen lastSeen) {
        super(context);
        this.audit = audit;
        this.sequencer = sequencer;
        this.lastSeen = lastSeen;
        this.timers = timers;
        ActorRef<Command> self = context.getSelf();
        audit.onNews(run -> self.tell(new Written(run)));
        timers.startTimerWithFixedDelay(Tick.LOOK, Tick.LOOK, Duration.ZERO, LOOK);
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Written.class, written -> gather(written.run()))
                .onMessageEquals(Tick.TELL, this::tell)
                .onMessageEquals(Tick.LOOK, this::look)
                .onMessage(Seen.class, seen -> {
                    lastSeen.head = Optional.of(seen.head());
                    return this;
                })
                .onMessage(Unseen.class, unseen -> {
                    lastSeen.head = Optional.empty();
                    return this;
                })
                .onMessage(Logged.class, logged -> {
                    lastSeen.log = Optional.of(logged.head());
                    lastSeen.refusal = "";
                    return this;
                })
                .onMessage(Unlogged.class, unlogged -> unlogged(StageFailure.cause(unlogged.why())))
                .build();
    }

    private Behavior<Command> gather(RunId run) {
        if (gathered.isEmpty()) {
            timers.startSingleTimer(Tick.TELL, GATHER);
        }
        gathered.add(run);
        return gathered.size() >= GATHERED_MAX ? tell() : this;
    }

    private Behavior<Command> tell() {
        if (!gathered.isEmpty()) {
            sequencer.tell(new Sequencing.Changed(gathered));
            gathered.clear();
        }
        return this;
    }

    private Behavior<Command> look() {
        getContext().pipeToSelf(audit.head(), (seen, failure) -> failure == null ? new Seen(seen) : new Unseen());
        getContext()
                .pipeToSelf(
                        audit.examine(), (head, failure) -> failure == null ? new Logged(head) : new Unlogged(failure));
        return this;
    }

    private Behavior<Command> unlogged(Throwable why) {
        lastSeen.log = Optional.empty();
        String sentence = why instanceof TreeDamaged ? String.valueOf(why.getMessage()) : "";
        if (!sentence.isEmpty() && !sentence.equals(lastSeen.refusal)) {
            getContext().getLog().error("The log of all events is refused: {}", sentence);
        }
        lastSeen.refusal = sentence;
        return this;
    }
}
