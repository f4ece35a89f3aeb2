package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** The contract of every store's journal. */
public abstract class JournalContract {
    private static final AtomicInteger RUNS = new AtomicInteger(7_000);

    private final RunId run = Fixtures.run(RUNS.incrementAndGet());

    protected abstract Store store();

    protected abstract JournalWriter writer();

    @Test
    void eventsReadBackEqualAndFoldToTheRunsState() {
        List<RunEvent> events = Fixtures.success(run, Fixtures.NOON, Map.of("team", "research"));
        events.forEach(event -> append(writer().entity(run), events, events.indexOf(event)));

        assertThat(events(1)).extracting(RecordedEvent::event).isEqualTo(events);
        assertThat(events(3)).extracting(RecordedEvent::seq).containsExactly(3L, 4L);
        assertThat(events(5)).isEmpty();
        assertThat(join(store().journal().state(run))).isInstanceOf(RunState.Finished.class);
    }

    @Test
    void eventsWrittenTogetherAppearTogetherAndAreReplayed() {
        List<RunEvent> events = Fixtures.success(run, Fixtures.NOON, Map.of());
        writer().write(run, events);

        assertThat(events(1)).extracting(RecordedEvent::event).isEqualTo(events);
        assertThat(writer().read(writer().entity(run))).isEqualTo(JournalWriter.entries(run, events));
    }

    @Test
    void anUnknownRunHasNoEvents() {
        assertThat(events(1)).isEmpty();
        assertThat(join(store().journal().state(run))).isEqualTo(RunState.initial());
    }

    @Test
    void theLaterWriteOfASecondOwnerIsRefusedWithoutATrace() {
        // given: two owners that have read the same history, like a paused node and its successor
        List<RunEvent> events = Fixtures.success(run, Fixtures.NOON, Map.of());
        append(writer().entity(run), events, 0);
        ActorRef<JournalWriter.Entity.Command> paused = writer().entity(run);
        ActorRef<JournalWriter.Entity.Command> successor = writer().entity(run);

        // when: both continue
        append(successor, events, 1);
        JournalEntry other = EventCodec.standard()
                .encode(
                        new RunEvent.CancelRequested(
                                Fixtures.NOON, "node-2", Principal.LOCAL_OPERATOR, Optional.empty()),
                        entries(events).get(0).hash());
        assertThat(writer().append(paused, List.of(other)).toCompletableFuture())
                .failsWithin(Duration.ofSeconds(20));
        append(successor, events, 2);

        // then: readers and recovering owners see the successor's history
        assertThat(events(1)).extracting(RecordedEvent::event).isEqualTo(events.subList(0, 3));
        ActorRef<JournalWriter.Entity.Command> third = writer().entity(run);
        assertThat(writer().read(third)).isEqualTo(entries(events).subList(0, 3));
        append(third, events, 3);
        assertThat(events(1)).extracting(RecordedEvent::event).isEqualTo(events);
    }

    private void append(ActorRef<JournalWriter.Entity.Command> entity, List<RunEvent> events, int index) {
        join(writer().append(entity, entries(events).subList(index, index + 1)));
    }

    private List<JournalEntry> entries(List<RunEvent> events) {
        return JournalWriter.entries(run, events);
    }

    private List<RecordedEvent> events(long from) {
        return join(store().journal().events(run, from));
    }

    private static <T> T join(java.util.concurrent.CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
