package dev.vivarium.persistence;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RunPersistenceId;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;

/** Persists the next event of a run on request, as the Run entity does, and acknowledges it once it is durable. */
public final class RunWriter extends EventSourcedBehavior<RunWriter.Next, JournalEntry, RunWriter.Written> {
    /** Writes one more event; the answer is their number. */
    public record Next(ActorRef<Long> replyTo) {}

    /** The chain so far. */
    public record Written(long seq, Blob head) {}

    private final RunId run;

    private RunWriter(PersistenceId id, RunId run) {
        super(id, SupervisorStrategy.restartWithBackoff(Duration.ofMillis(50), Duration.ofMillis(500), 0.1));
        this.run = run;
    }

    public static Behavior<Next> of(RunId run) {
        return new RunWriter(RunPersistenceId.of(run), run);
    }

    @Override
    public Written emptyState() {
        return new Written(0, EventCodec.genesis(run));
    }

    @Override
    public CommandHandler<Next, JournalEntry, Written> commandHandler() {
        return newCommandHandlerBuilder()
                .forAnyState()
                .onCommand(Next.class, (written, next) -> Effect()
                        .persist(EventCodec.standard().encode(event(written.seq()), written.head()))
                        .thenRun(after -> next.replyTo().tell(after.seq())))
                .build();
    }

    private RunEvent event(long seq) {
        if (seq == 0) {
            return Fixtures.submitted(run);
        }
        if (seq == 1) {
            return new RunEvent.AttemptStarting(Instant.now(), "node-1", 1);
        }
        if (seq == 2) {
            return new RunEvent.AttemptStarted(Instant.now(), "node-1", 1, "sandbox", Optional.empty());
        }
        return new RunEvent.AlarmRaised(
                Instant.now(), "node-1", 1, KillReason.MEMORY, Measurement.bytes(seq, 1), RunEvent.Consequence.NOTED);
    }

    @Override
    public EventHandler<Written, JournalEntry> eventHandler() {
        return newEventHandlerBuilder()
                .forAnyState()
                .onEvent(JournalEntry.class, (written, entry) -> new Written(written.seq() + 1, entry.hash()))
                .build();
    }
}
