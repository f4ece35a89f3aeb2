package dev.vivarium.node.audit;

import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.protocol.api.AuditCheck;
import dev.vivarium.protocol.auth.Principal;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * A node's side of the checks of the log: compares what it knows with the cluster's {@link Checking} every two seconds,
 * keeps the last result in a file of the node, where whoever changes the store does not reach it, and raises the alarm:
 * an ERROR line for each finding, and a metric, on every node, until a later check finds nothing. Lives as long as the
 * node's actors; on a dispatcher for blocking work, for its file.
 */
public final class CheckWatch extends AbstractBehavior<CheckWatch.Command> {
    private static final Duration LOOK = Duration.ofSeconds(2);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    private static final int LINES_MAX = 10;
    private static final String ADVICE =
            "Somebody has written to the store, or it has lost something. Keep it as it is, compare with a backup or an"
                    + " export (vivarium audit verify), put back what was changed, and check again: vivarium audit check"
                    + " --now";

    private final CheckFile file;
    private final Known known;
    private final ActorRef<Checking.Command> checking;
    private final ActorRef<Checking.Answer> answers;
    /** What was logged: findings of a check, by its beginning. */
    private Optional<Instant> logged = Optional.empty();

    private int lines;
    private boolean unwritable;

    /** Its commands. */
    public sealed interface Command {}

    private enum Look implements Command {
        INSTANCE
    }

    private record Heard(AuditCheck check) implements Command {}

    /** What this node knows, for its threads. */
    private static final class Known implements LogChecks {
        private final ActorSystem<?> system;
        private final ActorRef<Checking.Command> checking;
        private final Clock clock;
        private volatile AuditCheck check = AuditCheck.NONE;

        Known(ActorSystem<?> system, ActorRef<Checking.Command> checking, Clock clock) {
            this.system = system;
            this.checking = checking;
            this.clock = clock;
        }

        @Override
        public AuditCheck known() {
            return check;
        }

        @Override
        public CompletionStage<AuditCheck> begin(Principal by) {
            CompletionStage<Checking.Answer> answer = AskPattern.ask(
                    checking, replyTo -> new Checking.Begin(by.toString(), replyTo), ANSWER_MAX, system.scheduler());
            return answer.thenApply(Checking.Answer::check);
        }

        double findings() {
            return check.last().map(last -> (double) last.findings().size()).orElse(Double.NaN);
        }

        double ageSeconds() {
            return check.last()
                    .flatMap(AuditCheck.Report::endedAt)
                    .map(ended -> Duration.between(ended, clock.instant()).toMillis() / 1_000.0)
                    .orElse(Double.NaN);
        }
    }

    /**
     * Starts the watch, and the checks if the cluster wants them here; registers their metrics.
     *
     * @param file where the node keeps the last result
     * @param node the node's name
     */
    public static LogChecks start(
            ActorSystem<?> system,
            AuditLog audit,
            CheckSettings settings,
            CheckFile file,
            String node,
            MeterRegistry metrics) {
        return start(system, Checking.start(system, audit, settings, node), file, metrics);
    }

    static LogChecks start(
            ActorSystem<?> system, ActorRef<Checking.Command> checking, CheckFile file, MeterRegistry metrics) {
        Known known = new Known(system, checking, Clock.systemUTC());
        Gauge.builder("vivarium.audit.check.findings", known, Known::findings)
                .description(
                        "What the last check of the log of all events has found to be changed, removed, inserted or"
                                + " moved; 0 when nothing was, NaN before the first check")
                .register(metrics);
        Gauge.builder("vivarium.audit.check.age.seconds", known, Known::ageSeconds)
                .description("How long ago the last check of the log of all events ended; NaN before the first one, and"
                        + " while one that has found something goes on")
                .register(metrics);
        system.systemActorOf(create(checking, file, known), "audit-check-watch", DispatcherSelector.blocking());
        return known;
    }

    private static Behavior<Command> create(ActorRef<Checking.Command> checking, CheckFile file, Known known) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.INSTANCE, Duration.ZERO, LOOK);
            return new CheckWatch(context, checking, file, known);
        }));
    }

    private CheckWatch(
            ActorContext<Command> context, ActorRef<Checking.Command> checking, CheckFile file, Known known) {
        super(context);
        context.setLoggerName(CheckWatch.class);
        this.checking = checking;
        this.file = file;
        this.known = known;
        this.answers = context.messageAdapter(Checking.Answer.class, answer -> new Heard(answer.check()));
        try {
            known.check = new AuditCheck(file.last(), Optional.empty());
        } catch (IOException unreadable) {
            context.getLog()
                    .warn("The result of the last check of the log cannot be read: {}", unreadable.getMessage());
        }
        raise(known.check);
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessageEquals(Look.INSTANCE, this::look)
                .onMessage(Heard.class, heard -> heard(heard.check()))
                .build();
    }

    private Behavior<Command> look() {
        checking.tell(new Checking.Compare(known.check.last(), answers));
        return this;
    }

    private Behavior<Command> heard(AuditCheck check) {
        boolean isNews = !check.last().equals(known.check.last());
        known.check = check;
        if (isNews) {
            check.last().ifPresent(this::keep);
            raise(check);
        }
        return this;
    }

    private void keep(AuditCheck.Report report) {
        try {
            file.keep(report);
            unwritable = false;
        } catch (IOException failed) {
            if (!unwritable) {
                getContext()
                        .getLog()
                        .warn("The result of the check of the log cannot be kept: {}", failed.getMessage());
            }
            unwritable = true;
        }
    }

    /** One line for each finding, and once for each. */
    private void raise(AuditCheck check) {
        Optional<AuditCheck.Report> found =
                check.last().filter(report -> !report.findings().isEmpty());
        if (found.isEmpty()) {
            return;
        }
        AuditCheck.Report report = found.get();
        if (!logged.equals(Optional.of(report.startedAt()))) {
            logged = Optional.of(report.startedAt());
            lines = 0;
        }
        List<String> findings = report.findings();
        if (lines >= findings.size()) {
            return;
        }
        findings.subList(Math.min(lines, LINES_MAX), Math.min(findings.size(), LINES_MAX))
                .forEach(finding ->
                        getContext().getLog().error("The log of all events is not as it was written: {}", finding));
        lines = findings.size();
        getContext()
                .getLog()
                .error(
                        "The check of the log of all events that began at {} on {} has found {} faults (vivarium audit check). {}",
                        report.startedAt(),
                        report.node(),
                        findings.size(),
                        ADVICE);
    }
}
