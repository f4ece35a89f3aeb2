package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Reads the journal, the source of truth about runs. Stages fail with {@link StoreUnavailable} while it is unavailable.
 */
public interface RunJournal {
    /** A run's events from a sequence number on, in order; empty when there are none yet. */
    CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq);

    /** A run's last event; empty when there is none yet. Stores override this to read only that entry. */
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

    /** The state after these events, which start with the first. */
    static RunState fold(List<RecordedEvent> events) {
        RunState state = RunState.initial();
        for (RecordedEvent recorded : events) {
            state = state.after(recorded.event());
        }
        return state;
    }
}
