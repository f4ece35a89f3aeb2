package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunSpec;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.util.ByteString;

/**
 * Brings a spec's files from the store into the sandbox, one part at a time: the next is asked for when the guest has written
 * the one before, so that neither in the channel nor here more than two parts wait, however large the files are. A store that
 * is away is asked again. Owned by one Sandbox actor, whose end ends its streams; not safe for use by others.
 */
final class FilePreparation {
    /** One part under way to the actor, and one ahead. */
    private static final Attributes ONE_AHEAD = Attributes.inputBuffer(1, 1);

    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final RunSpec spec;
    private final int uid;
    private final Inbox inbox;
    private final Guest guest;
    private final Deque<Map.Entry<String, FileRef>> files;
    private final long begunNanos;
    private Optional<Materializer> streams = Optional.empty();
    private Optional<SinkQueueWithCancel<ByteString>> content = Optional.empty();
    private long offset;
    private int request;

    /** What comes from the store, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    /** A part of the content that is being brought; empty at its end. */
    private record Part(Optional<ByteString> bytes) implements Message {
        @Override
        public String toString() {
            return "Part(" + bytes.map(ByteString::size).orElse(0) + " bytes)";
        }
    }

    private record Unavailable(Throwable why) implements Message {}

    private enum Retry implements Message {
        DUE
    }

    FilePreparation(
            SandboxEnvironment environment, AttemptName attempt, RunSpec spec, int uid, Inbox inbox, Guest guest) {
        this.environment = environment;
        this.attempt = attempt;
        this.spec = spec;
        this.uid = uid;
        this.inbox = inbox;
        this.guest = guest;
        this.files = new ArrayDeque<>(new TreeMap<>(spec.files()).entrySet());
        this.begunNanos = environment.clock().nanos();
    }

    boolean isComplete() {
        return files.isEmpty();
    }

    /** Asks for the first part of the next file; of an empty one there is nothing to ask for. */
    void begin() {
        offset = 0;
        content = Optional.empty();
        if (files.isEmpty()) {
            streams.ifPresent(Materializer::shutdown);
            streams = Optional.empty();
        } else if (files.element().getValue().size() == 0) {
            write(ByteString.emptyByteString());
        } else {
            open();
            pull();
        }
    }

    private void open() {
        if (streams.isEmpty()) {
            streams = Optional.of(Materializer.createMaterializer(inbox.context()));
        }
        Map.Entry<String, FileRef> file = files.element();
        content = Optional.of(environment
                .store()
                .files()
                .open(spec.tenant().name(), attempt.run(), file.getKey(), file.getValue())
                .runWith(Sink.<ByteString>queue().withAttributes(ONE_AHEAD), streams.get()));
    }

    private void pull() {
        content.ifPresent(parts -> inbox.hear(parts.pull(), Part::new, Unavailable::new));
    }

    private void write(ByteString bytes) {
        Map.Entry<String, FileRef> file = files.element();
        guest.send(new NodeFrame.WriteFile(
                ++request,
                absolute(file.getKey()),
                file.getValue().mode().bits(),
                uid,
                uid,
                offset,
                Blob.of(bytes.toArray())));
        offset += bytes.size();
    }

    /** Takes in what the store says; gives the end of the attempt when the files cannot be had. */
    Optional<Outcome> on(Message message) {
        if (message instanceof Part part) {
            return part.bytes.isPresent() ? written(part.bytes.get()) : endOfContent();
        }
        if (message instanceof Unavailable unavailable) {
            return onUnavailable(unavailable.why);
        }
        begin();
        return Optional.empty();
    }

    private Optional<Outcome> written(ByteString bytes) {
        write(bytes);
        return Optional.empty();
    }

    private Optional<Outcome> endOfContent() {
        Map.Entry<String, FileRef> file = files.element();
        if (offset != file.getValue().size()) {
            return Optional.of(Outcomes.contentUnavailable(file.getKey()));
        }
        files.remove();
        begin();
        return Optional.empty();
    }

    private Optional<Outcome> onUnavailable(Throwable why) {
        String path = files.element().getKey();
        inbox.log().warn("The file {} of {} cannot be read: {}", path, attempt, why.getMessage());
        if (!(why instanceof StoreUnavailable)) {
            return Optional.of(Outcomes.contentUnavailable(path));
        }
        if (environment.clock().nanos() - begunNanos
                > environment.settings().engineWait().toNanos()) {
            return Optional.of(Outcomes.storeLost(why));
        }
        // From its first part, which truncates what was written.
        inbox.after(environment.settings().storeRetry(), Retry.DUE, Retry.DUE);
        return Optional.empty();
    }

    /** The guest has answered the part that was sent last. */
    Optional<Outcome> answered(GuestFrame.Done done) {
        Map.Entry<String, FileRef> file = files.element();
        if (done.errno() != 0) {
            return Optional.of(new Outcome.NotStarted(AgentStart.fileRefused(absolute(file.getKey()), done.errno())));
        }
        if (content.isEmpty()) {
            files.remove();
            begin();
        } else {
            pull();
        }
        return Optional.empty();
    }

    private static String absolute(String path) {
        return path.startsWith("/") ? path : AgentStart.WORKSPACE + "/" + path;
    }
}
