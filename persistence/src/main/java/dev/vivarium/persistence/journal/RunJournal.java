package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Reads the journal, the only truth about a run. Stages fail with {@link StoreUnavailable} while it is away. */
public interface RunJournal {
    /** The events of a run from a sequence number on, in order; empty when there are none (yet). */
    CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq);

    /** The state that a run's events fold to; {@link RunState#initial} when there are none. */
    CompletionStage<RunState> state(RunId run);
}
