package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.RunSpec;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Takes output from the guest to the store, one batch at a time. A batch that the store refuses is offered again until it
 * is kept; only then the guest gets its credit back, so that no more waits here than the credit that it has. Owned by one
 * Sandbox actor; not safe for use by others.
 */
final class OutputPipe {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final long limitBytes;
    private final Inbox inbox;
    private final Guest guest;
    private final Reporter reporter;
    private OutputBuffer buffer;
    private Writing writing = Writing.IDLE;

    private enum Writing {
        IDLE,
        UNDER_WAY
    }

    /** What comes of a write. */
    sealed interface Message extends Sandbox.Command {}

    private record Stored(OutputBuffer.Batch batch) implements Message {}

    private record StoreFailed(OutputBuffer.Batch batch, Throwable why) implements Message {}

    private record RetryDue(OutputBuffer.Batch batch) implements Message {}

    OutputPipe(
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            Inbox inbox,
            Guest guest,
            Reporter reporter) {
        this.environment = environment;
        this.attempt = attempt;
        this.limitBytes = spec.limits().output().bytes();
        this.inbox = inbox;
        this.guest = guest;
        this.reporter = reporter;
        this.buffer = new OutputBuffer(attempt.attempt(), 0, limitBytes);
    }

    /** The attempt's output begins at this offset of the run's. */
    void beginAt(long offset) {
        buffer = new OutputBuffer(attempt.attempt(), offset, limitBytes);
    }

    /** Takes what was printed. */
    void add(GuestFrame.Output printed) {
        buffer.add(printed.stream(), printed.data(), environment.clock().now());
        writeNext();
    }

    void on(Message message) {
        if (message instanceof Stored stored) {
            onStored(stored.batch);
        } else if (message instanceof StoreFailed failed) {
            inbox.log().warn("Output of {} could not be stored yet: {}", attempt, failed.why.getMessage());
            RetryDue retry = new RetryDue(failed.batch);
            inbox.after(environment.settings().storeRetry(), RetryDue.class, retry);
        } else if (message instanceof RetryDue retry) {
            write(retry.batch);
        }
    }

    /** Whether all that has come is kept, and its credit given back. */
    boolean isSettled() {
        return writing == Writing.IDLE && buffer.isEmpty();
    }

    long keptBytes() {
        return buffer.keptBytes();
    }

    private void onStored(OutputBuffer.Batch batch) {
        writing = Writing.IDLE;
        batch.credit().forEach((stream, bytes) -> guest.send(new NodeFrame.Credit(AgentStart.PROCESS, stream, bytes)));
        if (!batch.chunks().isEmpty()) {
            reporter.outputAdvanced(batch.end());
        }
        writeNext();
    }

    private void writeNext() {
        if (writing == Writing.IDLE && !buffer.isEmpty()) {
            write(buffer.drain());
        }
    }

    private void write(OutputBuffer.Batch batch) {
        writing = Writing.UNDER_WAY;
        CompletionStage<Done> written = batch.chunks().isEmpty()
                ? CompletableFuture.completedStage(Done.getInstance())
                : environment.store().output().append(attempt.run(), batch.chunks());
        inbox.hear(written, done -> new Stored(batch), why -> new StoreFailed(batch, why));
    }
}
