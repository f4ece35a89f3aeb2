package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What an attempt uses: samples from outside, what the guest says, what was denied; and the reports of what is near a
 * limit. What follows from it is decided by {@link LimitWatch}. Owned by one Sandbox actor; not safe for use by others.
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

    /** What comes of a routine look, and when the next is due. */
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

    /** Has the next look come due: sooner than the interval where a limit could be reached before. */
    void lookLater() {
        inbox.after(
                watch.nextSample(settings.sampleInterval(), deadline.elapsedMillis()), LookDue.class, new LookDue());
    }

    /** No look is begun any more. */
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

    /** While the attempt ends: what was asked for before still counts, if the sandbox is there. */
    void onLate(Message message) {
        if (message instanceof Looked looked) {
            sampledLate(looked.use);
        }
    }

    /** The one look after the end: routine looks take what was counted last, and in this nothing may be missing. */
    CompletionStage<SandboxUse> lastLook() {
        return sandboxes.useToTheEnd(id);
    }

    /** What a frame says about output, disk and processes. */
    void heard(GuestFrame frame) {
        if (frame instanceof GuestFrame.Output printed) {
            watch = watch.printed(printed.data().length(), deadline.elapsedMillis());
        } else if (frame instanceof GuestFrame.Disk disk) {
            watch = watch.disk(disk);
        } else if (frame instanceof GuestFrame.Pids pids && spec.isolation().hasOwnKernel()) {
            watch = watch.pids(pids.count());
        }
    }

    private void onLooked(SandboxUse use) {
        watch = watch.sampled(use, deadline.usedMillis());
        if (denials.isDue(watch.egress(), deadline.usedMillis())) {
            reportDenials();
        }
        // What has been warned of is not looked for any more, so the warnings come first.
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
        // What fails is not asked for more often because a limit is near.
        inbox.after(settings.sampleInterval(), LookDue.class, new LookDue());
    }

    /** What the last look has shown; the run learns what its agent did with its network. */
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
        denials = denials.toldOf(watch.egress(), deadline.usedMillis());
        reporter.denied(watch.egress());
    }

    /** Whether a sample shows the guest alone. From outside, nobody sees into another kernel, and a guest may lie. */
    boolean showsEmpty(SandboxUse use) {
        return use.sample().pids() <= GUEST_ALONE && !spec.isolation().hasOwnKernel();
    }

    /** The limit that is reached, if one is; reports those that are near otherwise. */
    Optional<LimitWatch.Breach> breach() {
        Optional<LimitWatch.Breach> breach = watch.breach();
        if (breach.isEmpty()) {
            reportWarnings(Optional.empty());
        }
        return breach;
    }

    /** What a kill by the kernel for memory says. */
    Measurement outOfMemory() {
        return watch.outOfMemory();
    }

    /** Reports what led to a kill, and the kill's own alarm when something was measured. */
    void reportKill(Outcome.Killed killed) {
        reportWarnings(Optional.of(killed));
        killed.measurement().ifPresent(measurement -> reporter.alarm(killed.reason(), measurement, Consequence.KILL));
    }

    /** An exit that a limit brought about is a kill: the kernel had refused the agent something, or killed a part of it. */
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
        return watch.usage(deadline.usedMillis(), keptOutputBytes);
    }

    /** Each gauge that is near its limit now, once an attempt; what ends the attempt has an alarm of its own. */
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
