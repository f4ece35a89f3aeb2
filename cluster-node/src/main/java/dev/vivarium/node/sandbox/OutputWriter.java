package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore.Appended;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Writes the output of all processes to the store, one batch at a time. A batch that the store refuses is retried until
 * it is stored. Only then do the processes get their credit back, which bounds how much waits here. Used by one Sandbox
 * actor; not thread-safe.
 */
final class OutputWriter {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final long limitBytes;
    private final ProcessTable processes;
    private final Inbox inbox;
    private final Guest guest;
    private final Reporter reporter;
    private OutputBuffer buffer;
    private Writing writing = Writing.IDLE;

    private enum Writing {
        IDLE,
        UNDER_WAY
    }

    /** Output written together, and the credit to return when it is stored. */
    private record Batch(List<OutputChunk> chunks, List<NodeFrame.Credit> credit, long end) {}

    /** Results of writes, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    private record Stored(Batch batch, Appended appended) implements Message {}

    private record StoreFailed(Batch batch, Throwable why) implements Message {}

    private record RetryDue(Batch batch) implements Message {}

    OutputWriter(
            SandboxEnvironment environment,
            AttemptName attempt,
            RunSpec spec,
            ProcessTable processes,
            Inbox inbox,
            Guest guest,
            Reporter reporter) {
        this.environment = environment;
        this.attempt = attempt;
        this.limitBytes = spec.limits().get(Limit.OUTPUT).bytes();
        this.processes = processes;
        this.inbox = inbox;
        this.guest = guest;
        this.reporter = reporter;
        this.buffer = new OutputBuffer(attempt.attempt(), 0, limitBytes);
    }

    /** Sets the run's offset at which the attempt's output begins, which is what earlier attempts have printed. */
    void beginAt(long offset) {
        buffer = new OutputBuffer(attempt.attempt(), offset, limitBytes);
    }

    /** Adds output of a process that this node has started. */
    void add(GuestFrame.Output printed) {
        processes.output(printed.process()).ifPresent(pipe -> {
            pipe.came(printed.stream(), printed.data().length());
            buffer.add(
                    new ProcessId(printed.process()),
                    printed.stream(),
                    printed.data(),
                    environment.clock().now());
            writeNext();
        });
    }

    void on(Message message) {
        if (message instanceof Stored stored) {
            onStored(stored.batch, stored.appended);
        } else if (message instanceof StoreFailed failed) {
            inbox.log().warn("Output of {} could not be stored yet: {}", attempt, failed.why.getMessage());
            RetryDue retry = new RetryDue(failed.batch);
            inbox.after(environment.settings().storeRetry(), RetryDue.class, retry);
        } else if (message instanceof RetryDue retry) {
            write(retry.batch);
        }
    }

    /** Whether everything received is stored and its credit returned. */
    boolean isSettled() {
        return writing == Writing.IDLE && buffer.isEmpty() && processes.owesNothing();
    }

    long keptBytes() {
        return buffer.keptBytes();
    }

    private void onStored(Batch batch, Appended appended) {
        writing = Writing.IDLE;
        batch.credit().forEach(guest::send);
        if (!batch.chunks().isEmpty()) {
            reporter.outputAdvanced(batch.end(), appended == Appended.WHOLE ? batch.chunks() : List.of());
        }
        writeNext();
    }

    private void writeNext() {
        if (writing == Writing.IDLE && !(buffer.isEmpty() && processes.owesNothing())) {
            write(new Batch(buffer.drain(), processes.takeCredit(), buffer.end()));
        }
    }

    private void write(Batch batch) {
        writing = Writing.UNDER_WAY;
        CompletionStage<Appended> written = batch.chunks().isEmpty()
                ? CompletableFuture.completedStage(Appended.WHOLE)
                : environment.store().output().append(attempt.run(), batch.chunks());
        inbox.hear(written, appended -> new Stored(batch, appended), why -> new StoreFailed(batch, why));
    }
}
