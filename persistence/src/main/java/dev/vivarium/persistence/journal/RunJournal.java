package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Reads the journal, the only truth about a run. Stages fail with {@link StoreUnavailable} while it is away. */
public interface RunJournal {
    /** The events of a run from a sequence number on, in order; empty when there are none (yet). */
    CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq);

    /** The last event of a run; empty when there is none (yet). A store reads that one alone. */
    default CompletionStage<Optional<RunEvent>> lastEvent(RunId run) {
        return events(run, 1)
                .thenApply(events -> events.isEmpty()
                        ? Optional.empty()
                        : Optional.of(events.get(events.size() - 1).event()));
    }

    /** The state that a run's events fold to; {@link RunState#initial} when there are none. */
    default CompletionStage<RunState> state(RunId run) {
        return events(run, 1).thenApply(RunJournal::fold);
    }

    /** The state that these events, from the first one on, lead to. */
    static RunState fold(List<RecordedEvent> events) {
        RunState state = RunState.initial();
        for (RecordedEvent recorded : events) {
            state = state.after(recorded.event());
        }
        return state;
    }
}
