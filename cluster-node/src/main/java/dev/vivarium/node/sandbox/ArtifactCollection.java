package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import org.apache.pekko.stream.Materializer;

/**
 * Keeps the requested files between the end of the run's processes and that of its sandbox, and reports the kept files.
 * Used by one Sandbox actor; not thread-safe.
 */
final class ArtifactCollection {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final Inbox inbox;
    private final Reporter reporter;
    private final GuestFiles files;
    private Progress progress = Progress.NOT_BEGUN;

    /** Results, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    private record Collected(KeptArtifacts kept) implements Message {}

    private record Failed(Throwable why) implements Message {}

    private enum Progress {
        NOT_BEGUN,
        UNDER_WAY,
        REPORTED
    }

    ArtifactCollection(
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            int uid,
            Inbox inbox,
            Guest guest,
            Reporter reporter) {
        this.environment = environment;
        this.attempt = attempt;
        this.spec = spec;
        this.inbox = inbox;
        this.reporter = reporter;
        this.files = new GuestFiles(guest::send, uid);
    }

    Ending.Artifacts wanted() {
        return spec.artifacts().isEmpty() ? Ending.Artifacts.UNWANTED : Ending.Artifacts.WANTED;
    }

    void begin() {
        progress = Progress.UNDER_WAY;
        Materializer streams = Materializer.createMaterializer(inbox.context());
        ArtifactKeeper keeper = new ArtifactKeeper(environment.store().blobs(), attempt.run(), spec, files, streams);
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
            report(collected.kept);
        } else if (message instanceof Failed failed) {
            inbox.log().warn("The files of {} could not be kept: {}", attempt, failed.why.getMessage());
            reportNothing(LeftOut.Cause.NOT_STORED);
        }
    }

    /** Whether no file is being stored. */
    boolean isSettled() {
        return progress != Progress.UNDER_WAY;
    }

    /** Nothing was kept, and the run ends: reports that, unless it was reported before. */
    void reportNothing(LeftOut.Cause why) {
        if (progress != Progress.REPORTED && !spec.artifacts().isEmpty()) {
            List<LeftOut> all = spec.artifacts().stream()
                    .map(pattern -> new LeftOut(pattern, why))
                    .toList();
            report(new KeptArtifacts(List.of(), all.size(), all));
        }
    }

    private void report(KeptArtifacts kept) {
        progress = Progress.REPORTED;
        reporter.kept(kept);
    }
}
