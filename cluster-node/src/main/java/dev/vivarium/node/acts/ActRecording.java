package dev.vivarium.node.acts;

import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.SnapshotSelectionCriteria;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.Recovery;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/** Writes one act, says that it is durable or that it is not, and stops. */
final class ActRecording extends EventSourcedBehavior<ActRecording.Command, JournalEntry, ActRecording.State> {
    private final ActorContext<Command> context;
    private final JournalEntry entry;
    private final CompletableFuture<Done> recorded;

    /** Its only command. */
    enum Command {
        WRITE
    }

    /** Whether the act is written. */
    enum State {
        UNWRITTEN,
        WRITTEN
    }

    /** @param recorded completed with the outcome */
    static Behavior<Command> create(ActId id, Act act, CompletableFuture<Done> recorded) {
        return Behaviors.setup(context -> new ActRecording(context, id, act, recorded));
    }

    private ActRecording(ActorContext<Command> context, ActId id, Act act, CompletableFuture<Done> recorded) {
        super(ChainPersistenceId.of(id));
        this.context = context;
        this.entry = ActCodec.encode(id, act);
        this.recorded = recorded;
    }

    @Override
    public State emptyState() {
        return State.UNWRITTEN;
    }

    @Override
    public Recovery recovery() {
        return Recovery.withSnapshotSelectionCriteria(SnapshotSelectionCriteria.none());
    }

    @Override
    public SignalHandler<State> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(
                        RecoveryCompleted.instance(), state -> context.getSelf().tell(Command.WRITE))
                // Also when the journal has refused it, or does not answer.
                .onSignal(
                        PostStop.instance(),
                        state -> recorded.completeExceptionally(new StoreUnavailable(
                                "The store did not record what was to be done, so it was not done.")))
                .build();
    }

    @Override
    public CommandHandler<Command, JournalEntry, State> commandHandler() {
        return newCommandHandlerBuilder()
                .forAnyState()
                .onCommand(Command.class, (state, write) -> Effect()
                        .persist(entry)
                        .thenRun(written -> recorded.complete(Done.getInstance()))
                        .thenStop())
                .build();
    }

    @Override
    public EventHandler<State, JournalEntry> eventHandler() {
        return (state, written) -> State.WRITTEN;
    }
}
