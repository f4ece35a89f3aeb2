package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * An attempt's usage: samples from outside, the guest's reports, denials; and warnings when a limit is near. {@link
 * LimitWatch} decides. Used by one Sandbox actor; not thread-safe.
 */
final class UsageMonitor {
    private static final int GUEST_ALONE = 1;

    private final NodeSandboxes sandboxes;
    private final SandboxSettings settings;
    private final AttemptName attempt;
    private final SandboxId id;
    private final RunSpec spec;
    private final Inbox inbox;
    private final Deadline deadline;
    private final Reporter reporter;
    private LimitWatch watch;
    private DenialNotes denials = DenialNotes.none();
    private Sight sight = Sight.CLEAR;

    private enum Sight {
        CLEAR,
        LOST_AND_LOGGED
    }

    /** Results of routine samples and their timer, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    private record LookDue() implements Message {}

    private record Looked(SandboxUse use) implements Message {}

    private record LookFailed(Throwable why) implements Message {}

    UsageMonitor(
            SandboxEnvironment environment,
            AttemptName attempt,
            SandboxId id,
            RunSpec spec,
            Inbox inbox,
            Deadline deadline,
            Reporter reporter) {
        this.sandboxes = environment.sandboxes();
        this.settings = environment.settings();
        this.attempt = attempt;
        this.id = id;
        this.spec = spec;
        this.inbox = inbox;
        this.deadline = deadline;
        this.reporter = reporter;
        this.watch = LimitWatch.of(spec.limits(), settings.thresholds(), spec.isolation());
    }

    /** Call before the agent starts, with what earlier attempts of the run have printed. */
    void printedBefore(long bytes) {
        watch = watch.printedBefore(bytes);
    }

    /** Schedules the next sample: after the interval, or sooner if a limit could be reached before. */
    void lookLater() {
        inbox.after(
                watch.nextSample(settings.sampleInterval(), deadline.elapsedMillis()), LookDue.class, new LookDue());
    }

    /** Stops taking samples. */
    void stopLooking() {
        inbox.cancel(LookDue.class);
    }

    /** While the agent runs. */
    void on(Message message) {
        if (message instanceof LookDue) {
            inbox.hear(sandboxes.use(id), Looked::new, LookFailed::new);
        } else if (message instanceof Looked looked) {
            onLooked(looked.use);
        } else if (message instanceof LookFailed failed) {
            onLookFailed(failed.why);
        }
    }

    /** While the attempt ends: a sample requested before still counts if the sandbox is there. */
    void onLate(Message message) {
        if (message instanceof Looked looked) {
            sampledLate(looked.use);
        }
    }

    /**
     * Takes the last sample after the end. Routine samples use the last network counts; this one counts the network
     * now, so that nothing is missing.
     */
    CompletionStage<SandboxUse> lastLook() {
        return sandboxes.useToTheEnd(id);
    }

    /** Handles a frame about output, or about a limit that the guest counts. */
    void heard(GuestFrame frame) {
        if (frame instanceof GuestFrame.Output printed) {
            watch = watch.printed(printed.data().length(), deadline.elapsedMillis());
        } else if (frame instanceof GuestFrame.StdinCredit) {
            watch = watch.read(deadline.elapsedMillis());
        } else if (frame instanceof GuestFrame.Use use) {
            watch = watch.reported(use);
        }
    }

    private void onLooked(SandboxUse use) {
        watch = watch.sampled(use, deadline.usedMillis());
        if (denials.isDue(watch.egress(), deadline.usedMillis())) {
            reportDenials();
        }
        // Warned gauges no longer shorten the interval, so the warnings come first.
        if (breach().isEmpty()) {
            lookLater();
        }
    }

    private void onLookFailed(Throwable why) {
        inbox.log().debug("No sample of {}: {}", attempt, why.getMessage());
        Duration unmeasured = watch.unmeasured(deadline.elapsedMillis());
        if (sight == Sight.CLEAR && unmeasured.compareTo(settings.unmeasuredMax()) > 0) {
            sight = Sight.LOST_AND_LOGGED;
            inbox.log()
                    .warn(
                            "The sandbox {} of {} could not be measured for {} ms, so its processor time and idleness"
                                    + " are not watched: {}",
                            id,
                            attempt,
                            unmeasured.toMillis(),
                            why.getMessage());
        }
        // A failing sampler is not called more often because a limit is near.
        inbox.after(settings.sampleInterval(), LookDue.class, new LookDue());
    }

    /** Handles the last sample, and reports the agent's network use to the run. */
    void sampledAtLast(SandboxUse use) {
        sampledLate(use);
        if (watch.egress().opened() > 0) {
            reporter.reached(watch.egress());
        }
    }

    private void sampledLate(SandboxUse use) {
        watch = watch.sampled(use, deadline.usedMillis());
        if (denials.isLeft(watch.egress())) {
            reportDenials();
        }
    }

    private void reportDenials() {
        denials = denials.afterReport(watch.egress(), deadline.usedMillis());
        reporter.denied(watch.egress());
    }

    /** Whether a sample shows only the guest. From outside, another kernel cannot be inspected, and a guest may lie. */
    boolean showsEmpty(SandboxUse use) {
        return use.sample().pids() <= GUEST_ALONE && !spec.isolation().hasOwnKernel();
    }

    /** Watches over these limits from now on; a limit that has changed may warn once more. */
    void renewed(Limits limits) {
        watch = watch.renewed(limits);
    }

    /** The limit that is reached, if any; otherwise reports those that are near. */
    Optional<LimitWatch.Breach> breach() {
        Optional<LimitWatch.Breach> breach = watch.breach();
        if (breach.isEmpty()) {
            reportWarnings(Optional.empty());
        }
        return breach;
    }

    /** The measurement to report for an out-of-memory kill. */
    Measurement outOfMemory() {
        return watch.outOfMemory();
    }

    /** Reports warnings, and the alarm of the kill itself if it has a measurement. */
    void reportKill(Outcome.Killed killed) {
        reportWarnings(Optional.of(killed));
        killed.measurement().ifPresent(measurement -> reporter.alarm(killed.reason(), measurement, Consequence.KILL));
    }

    /**
     * Turns an exit that a limit caused into a kill: the kernel had refused the agent something, or killed one of its
     * processes.
     */
    Outcome judged(Outcome ended) {
        if (!(ended instanceof Outcome.Exited || ended instanceof Outcome.Signaled)) {
            return ended;
        }
        Optional<Outcome.Killed> kill = watch.breachAtExit()
                .map(breach -> new Outcome.Killed(breach.reason(), Optional.of(breach.measurement())));
        kill.ifPresentOrElse(this::reportKill, () -> reportWarnings(Optional.empty()));
        return kill.map(Outcome.class::cast).orElse(ended);
    }

    Usage usage(long keptOutputBytes) {
        return watch.usage(keptOutputBytes)
                .with(Limit.WALL_CLOCK, deadline.usedMillis())
                .with(Limit.GRACE, deadline.graceMillis());
    }

    /**
     * Reports each gauge that has come near, once per attempt, except the one that ends the attempt and has its own
     * alarm.
     */
    private void reportWarnings(Optional<Outcome.Killed> end) {
        LimitWatch.Warned warned = watch.warn(deadline.usedMillis());
        watch = warned.watch();
        warned.warnings().stream()
                .filter(warning -> end.filter(killed -> isOf(killed, warning)).isEmpty())
                .forEach(warning -> reporter.alarm(warning.reason(), warning.measurement(), Consequence.NOTED));
    }

    private static boolean isOf(Outcome.Killed killed, LimitWatch.Breach warning) {
        return killed.reason() == warning.reason()
                && killed.measurement()
                        .filter(measured ->
                                measured.unit() == warning.measurement().unit())
                        .isPresent();
    }
}
