package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.follow.Row;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KnownRunsTest {
    private static final RunId RUN = Fixtures.run(1);

    private final KnownRuns known = new KnownRuns();

    @Test
    void aRowIsTheViewOfTheLastStateAndIsUsedOnce() {
        known.know(after(RUN, 2), 2);
        known.know(after(RUN, 4), 4);

        assertThat(known.take(RUN, 3)).contains(new Row<>(4, RunView.of(after(RUN, 4))));
        assertThat(known.take(RUN, 3)).isEmpty();
    }

    @Test
    void whatArrivesLateDoesNotReplaceALaterState() {
        known.know(after(RUN, 4), 4);
        known.know(after(RUN, 2), 2);

        assertThat(known.take(RUN, 4)).map(Row::seq).contains(4L);
    }

    @Test
    void aStateBeforeTheEventIsOfNoUse() {
        known.know(after(RUN, 2), 2);

        assertThat(known.take(RUN, 3)).isEmpty();
        assertThat(known.take(Fixtures.run(2), 1)).isEmpty();
    }

    @Test
    void beyondTheLimitTheOldestIsForgotten() {
        for (int number = 1; number <= KnownRuns.RUNS_MAX + 1; number++) {
            known.know(after(Fixtures.run(number), 1), 1);
        }

        assertThat(known.take(Fixtures.run(1), 1)).isEmpty();
        assertThat(known.take(Fixtures.run(2), 1)).isPresent();
        assertThat(known.take(Fixtures.run(KnownRuns.RUNS_MAX + 1), 1)).isPresent();
    }

    private static RunState.Existing after(RunId run, int events) {
        RunState state = RunState.initial();
        List<RunEvent> all = Fixtures.success(run, Fixtures.NOON, Map.of());
        for (RunEvent event : all.subList(0, events)) {
            state = state.after(event);
        }
        return (RunState.Existing) state;
    }
}
