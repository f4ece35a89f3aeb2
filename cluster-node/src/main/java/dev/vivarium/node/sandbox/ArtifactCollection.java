package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.stream.Materializer;

/**
 * Keeps the requested files between the end of the run's processes and that of its sandbox, and has them for the attempt's last report.
 * Used by one Sandbox actor; not thread-safe.
 */
final class ArtifactCollection {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final Inbox inbox;
    private final GuestFiles files;
    private Progress progress = Progress.NOT_BEGUN;
    private Optional<SandboxReport.Kept> kept = Optional.empty();

    /** Results, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    private record Collected(KeptArtifacts kept) implements Message {}

    private record Failed(Throwable why) implements Message {}

    private enum Progress {
        NOT_BEGUN,
        UNDER_WAY,
        OVER
    }

    ArtifactCollection(
            SandboxEnvironment environment, AttemptName attempt, RunSpec spec, int uid, Inbox inbox, Guest guest) {
        this.environment = environment;
        this.attempt = attempt;
        this.spec = spec;
        this.inbox = inbox;
        this.files = new GuestFiles(guest::send, uid);
    }

    Ending.Artifacts wanted() {
        return spec.artifacts().isEmpty() ? Ending.Artifacts.UNWANTED : Ending.Artifacts.WANTED;
    }

    void begin() {
        progress = Progress.UNDER_WAY;
        Materializer streams = Materializer.createMaterializer(inbox.context());
        StoreRetry retry = new StoreRetry(
                inbox.context().getSystem(),
                environment.clock(),
                environment.settings().storeRetry(),
                environment.settings().artifactsWait());
        ArtifactKeeper keeper =
                new ArtifactKeeper(environment.store().blobs(), attempt.run(), spec, files, retry, streams);
        inbox.hear(keeper.keepAll(), Collected::new, Failed::new);
    }

    /** Handles a frame of the guest. */
    void heard(GuestFrame frame) {
        files.heard(frame);
    }

    /** The guest has ended, or its time is over; the files kept so far are reported. */
    void stop(LeftOut.Cause why) {
        files.close(why);
    }

    void on(Message message) {
        if (message instanceof Collected collected) {
            finish(collected.kept);
        } else if (message instanceof Failed failed) {
            inbox.log().warn("The files of {} could not be kept: {}", attempt, failed.why.getMessage());
            finish(nothing(LeftOut.Cause.NOT_STORED));
        }
    }

    /** Whether no file is being stored. */
    boolean isSettled() {
        return progress != Progress.UNDER_WAY;
    }

    /** What was kept; empty when nothing has been looked for. */
    Optional<SandboxReport.Kept> kept() {
        return kept;
    }

    /** The same for the end of the run, of which it is said that nothing could be kept. */
    Optional<SandboxReport.Kept> keptOrNone(LeftOut.Cause why) {
        return kept.isPresent() || spec.artifacts().isEmpty() ? kept : Optional.of(now(nothing(why)));
    }

    private KeptArtifacts nothing(LeftOut.Cause why) {
        List<LeftOut> all = spec.artifacts().stream()
                .map(pattern -> new LeftOut(pattern, why))
                .toList();
        return new KeptArtifacts(List.of(), all.size(), all);
    }

    private void finish(KeptArtifacts artifacts) {
        progress = Progress.OVER;
        kept = Optional.of(now(artifacts));
        if (artifacts.examples().stream().anyMatch(left -> left.why() == LeftOut.Cause.NOT_STORED)) {
            inbox.log().warn("Files of {} could not be kept, since the store was not available.", attempt);
        }
    }

    private SandboxReport.Kept now(KeptArtifacts artifacts) {
        return new SandboxReport.Kept(environment.clock().now(), artifacts);
    }
}
