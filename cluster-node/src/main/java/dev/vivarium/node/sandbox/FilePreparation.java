package dev.vivarium.node.sandbox;

import dev.vivarium.node.archive.BadArchive;
import dev.vivarium.node.archive.UnpackRoom;
import dev.vivarium.node.archive.UnpackStep;
import dev.vivarium.node.archive.Unpacking;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunSpec;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Copies a spec's files from the store into the sandbox, archives first. The guest carries out the steps one by one; the
 * next step is requested while few are unanswered, so that little is buffered here and in the channel, however large the
 * files are. Retries while the store is unavailable. Owned by one Sandbox actor, whose end ends its streams; not
 * thread-safe.
 */
final class FilePreparation {
    /** One step in flight to the actor, and one ahead. */
    private static final Attributes ONE_AHEAD = Attributes.inputBuffer(1, 1);

    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final Inbox inbox;
    private final Deque<Map.Entry<String, FileRef>> files;
    private final FileRequests requests;
    private final long begunNanos;
    private UnpackRoom room;
    private Optional<Materializer> streams = Optional.empty();
    private Optional<SinkQueueWithCancel<UnpackStep>> steps = Optional.empty();
    private Coming coming = Coming.NOTHING;

    /** Results from the store, as messages to the actor. */
    sealed interface Message extends Preparation.Message {}

    /** The next step; empty after the last. */
    private record Step(Optional<UnpackStep> step) implements Message {
        @Override
        public String toString() {
            return "Step(" + step.map(UnpackStep::path).orElse("none") + ")";
        }
    }

    private record Unavailable(Throwable why) implements Message {}

    private enum Retry implements Message {
        DUE
    }

    /** The state of the current file's stream. */
    private enum Coming {
        NOTHING,
        /** A step was requested. */
        STEP,
        /** The stream has ended. */
        ANSWERS
    }

    FilePreparation(
            SandboxEnvironment environment, AttemptName attempt, RunSpec spec, int uid, Inbox inbox, Guest guest) {
        this.environment = environment;
        this.attempt = attempt;
        this.spec = spec;
        this.inbox = inbox;
        this.files = spec.files().entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, FileRef>, FileForm>comparing(
                                file -> file.getValue().form(), Comparator.reverseOrder())
                        .thenComparing(Map.Entry::getKey))
                .collect(Collectors.toCollection(ArrayDeque::new));
        this.requests = new FileRequests(guest, uid);
        this.begunNanos = environment.clock().nanos();
        this.room = roomBesideFiles();
    }

    private UnpackRoom roomBesideFiles() {
        UnpackRoom all = new UnpackRoom(
                spec.limits().get(Limit.DISK).bytes(), spec.limits().get(Limit.FILES));
        return spec.files().values().stream()
                .filter(file -> file.form() == FileForm.FILE)
                .map(file -> new UnpackRoom(file.size(), 1))
                .reduce(all, UnpackRoom::minus);
    }

    boolean isComplete() {
        return files.isEmpty();
    }

    /** Starts the next file. */
    void begin() {
        if (files.isEmpty()) {
            streams.ifPresent(Materializer::shutdown);
            streams = Optional.empty();
            return;
        }
        if (streams.isEmpty()) {
            streams = Optional.of(Materializer.createMaterializer(inbox.context()));
        }
        steps = Optional.of(
                stepsOf(files.element()).runWith(Sink.<UnpackStep>queue().withAttributes(ONE_AHEAD), streams.get()));
        pull();
    }

    private Source<UnpackStep, NotUsed> stepsOf(Map.Entry<String, FileRef> file) {
        String path = absolute(file.getKey());
        Source<ByteString, NotUsed> content =
                environment.store().files().open(spec.tenant(), attempt.run(), file.getKey(), file.getValue());
        return file.getValue().form() == FileForm.ARCHIVE
                ? Unpacking.of(content, path, rootOf(path), room)
                : WholeFile.steps(content, path, file.getValue());
    }

    private void pull() {
        coming = Coming.STEP;
        steps.ifPresent(queue -> inbox.hear(queue.pull(), Step::new, Unavailable::new));
    }

    /** Handles an answer of the store; returns the attempt's outcome if the files are not available. */
    Optional<Outcome> on(Message message) {
        if (message instanceof Step come) {
            come.step.ifPresentOrElse(this::make, () -> coming = Coming.ANSWERS);
            goOn();
            return Optional.empty();
        }
        if (message instanceof Unavailable unavailable) {
            return onUnavailable(unavailable.why);
        }
        begin();
        return Optional.empty();
    }

    private void make(UnpackStep step) {
        coming = Coming.NOTHING;
        if (step instanceof UnpackStep.Unpacked unpacked) {
            room = room.minus(unpacked.used());
        } else {
            requests.send(step);
        }
    }

    private void goOn() {
        if (coming == Coming.NOTHING && requests.takeMore()) {
            pull();
        } else if (coming == Coming.ANSWERS && requests.areAnswered()) {
            coming = Coming.NOTHING;
            files.remove();
            begin();
        }
    }

    private Optional<Outcome> onUnavailable(Throwable why) {
        String path = files.element().getKey();
        inbox.log().warn("The file {} of {} cannot be brought: {}", path, attempt, why.getMessage());
        if (why instanceof BadArchive bad) {
            return Optional.of(new Outcome.NotStarted(AgentStart.archiveRefused(path, bad)));
        }
        if (!(why instanceof StoreUnavailable)) {
            return Optional.of(Outcomes.contentUnavailable(path));
        }
        if (environment.clock().nanos() - begunNanos
                > environment.settings().engineWait().toNanos()) {
            return Optional.of(Outcomes.storeLost(why));
        }
        // From its first part, which truncates the file.
        inbox.after(environment.settings().storeRetry(), Retry.DUE, Retry.DUE);
        return Optional.empty();
    }

    /** The guest has answered the oldest step. */
    Optional<Outcome> answered(GuestFrame.Done done) {
        UnpackStep step = requests.answered();
        if (done.errno() != 0) {
            return Optional.of(new Outcome.NotStarted(AgentStart.fileRefused(step, done.errno())));
        }
        goOn();
        return Optional.empty();
    }

    private static String absolute(String path) {
        if (path.equals(".")) {
            return AgentStart.WORKSPACE;
        }
        return path.startsWith("/") ? path : AgentStart.WORKSPACE + "/" + path;
    }

    /** The writable folder that contains a path. */
    private static String rootOf(String path) {
        int slash = path.indexOf('/', 1);
        return slash < 0 ? path : path.substring(0, slash);
    }
}
