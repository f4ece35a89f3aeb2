package dev.vivarium.persistence.contract;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.stream.Materializer;

/** An actor system that writes to a store's journal as a node does: through Pekko Persistence. */
public final class JournalWriter implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);

    private final ActorSystem<SpawnProtocol.Command> system;

    public JournalWriter(Store store) {
        this.system = ActorSystem.create(
                SpawnProtocol.create(), "journal-writer", store.journalConfig().withFallback(ConfigFactory.load()));
    }

    /** Writes the first events of a run, and returns when they are durable. */
    public void write(RunId run, List<RunEvent> events) {
        writeEntries(run, entries(run, events));
    }

    public void writeEntries(RunId run, List<JournalEntry> entries) {
        append(entity(run), entries).toCompletableFuture().join();
    }

    /** The first entries of a run. */
    public static List<JournalEntry> entries(RunId run, List<RunEvent> events) {
        List<JournalEntry> entries = new ArrayList<>();
        Blob head = EventCodec.genesis(run);
        for (RunEvent event : events) {
            JournalEntry entry = EventCodec.standard().encode(event, head);
            entries.add(entry);
            head = entry.hash();
        }
        return entries;
    }

    /** One more owner of a run's journal, which has recovered from it. */
    public ActorRef<Entity.Command> entity(RunId run) {
        ActorRef<Entity.Command> entity = AskPattern.<SpawnProtocol.Command, ActorRef<Entity.Command>>ask(
                        system,
                        replyTo -> new SpawnProtocol.Spawn<>(new Entity(run), "", Props.empty(), replyTo),
                        ANSWER_MAX,
                        system.scheduler())
                .toCompletableFuture()
                .join();
        read(entity);
        return entity;
    }

    /** The entries that an owner has recovered or written. */
    public List<JournalEntry> read(ActorRef<Entity.Command> entity) {
        return AskPattern.<Entity.Command, List<JournalEntry>>ask(
                        entity, Entity.Read::new, ANSWER_MAX, system.scheduler())
                .toCompletableFuture()
                .join();
    }

    /** Fails, after a while, when the owner cannot write them. */
    public CompletionStage<Long> append(ActorRef<Entity.Command> entity, List<JournalEntry> entries) {
        return AskPattern.ask(entity, replyTo -> new Entity.Append(entries, replyTo), ANSWER_MAX, system.scheduler());
    }

    public ActorSystem<?> system() {
        return system;
    }

    /** Runs streams in the same system. */
    public Materializer materializer() {
        return Materializer.matFromSystem(system);
    }

    @Override
    public void close() {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }

    /** Holds its journal's entries; stops when it cannot write. */
    public static final class Entity extends EventSourcedBehavior<Entity.Command, JournalEntry, List<JournalEntry>> {
        /** Its messages. */
        public sealed interface Command {}

        record Append(List<JournalEntry> entries, ActorRef<Long> replyTo) implements Command {}

        record Read(ActorRef<List<JournalEntry>> replyTo) implements Command {}

        private Entity(RunId run) {
            super(PersistenceId.ofUniqueId(ChainPersistenceId.of(run).id()));
        }

        @Override
        public List<JournalEntry> emptyState() {
            return List.of();
        }

        @Override
        public CommandHandler<Command, JournalEntry, List<JournalEntry>> commandHandler() {
            return newCommandHandlerBuilder()
                    .forAnyState()
                    .onCommand(Append.class, (known, append) -> Effect()
                            .persist(append.entries())
                            .thenRun(after -> append.replyTo().tell((long) after.size())))
                    .onCommand(Read.class, (known, read) -> Effect().reply(read.replyTo(), known))
                    .build();
        }

        @Override
        public EventHandler<List<JournalEntry>, JournalEntry> eventHandler() {
            return (known, entry) -> {
                List<JournalEntry> all = new ArrayList<>(known);
                all.add(entry);
                return all;
            };
        }
    }

    /** The behavior of an owner. */
    public static Behavior<Entity.Command> owner(RunId run) {
        return new Entity(run);
    }
}
