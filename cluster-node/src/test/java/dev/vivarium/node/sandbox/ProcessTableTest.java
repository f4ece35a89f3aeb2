package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.sandbox.ProcessTable.State;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.ProcessId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProcessTableTest {
    private static final ProcessId SECOND = new ProcessId(2);

    private final ProcessTable processes = new ProcessTable();

    @Test
    void aProcessIsRequestedThenStartedThenEnded() {
        assertThat(processes.state(ProcessId.COMMAND)).isEmpty();
        order(ProcessId.COMMAND);
        assertThat(processes.state(ProcessId.COMMAND)).contains(State.ORDERED);

        processes.heard(new GuestFrame.Spawned(1, 7));
        assertThat(processes.state(ProcessId.COMMAND)).contains(State.STARTED);

        processes.heard(new GuestFrame.Exited(1, 0));
        assertThat(processes.state(ProcessId.COMMAND)).contains(State.ENDED);
    }

    @Test
    void framesOfOneProcessDoNotAffectAnother() {
        order(ProcessId.COMMAND);
        order(SECOND);
        processes.heard(new GuestFrame.Spawned(1, 7));

        processes.heard(new GuestFrame.SpawnFailed(2, GuestFrame.Stage.EXEC, 2));
        processes.heard(new GuestFrame.Signaled(3, 9));

        assertThat(processes.state(ProcessId.COMMAND)).contains(State.STARTED);
        assertThat(processes.state(SECOND)).contains(State.ENDED);
        assertThat(processes.state(new ProcessId(3))).isEmpty();
    }

    @Test
    void eachProcessReceivesTheCreditForItsOutputOnce() {
        order(ProcessId.COMMAND);
        order(SECOND);
        pipe(1).came(Stream.STDOUT, 4);
        pipe(1).came(Stream.STDOUT, 3);
        pipe(1).came(Stream.STDERR, 4);
        pipe(2).came(Stream.STDOUT, 9);
        assertThat(processes.owesNothing()).isFalse();

        assertThat(processes.takeCredit())
                .isEqualTo(List.of(
                        new NodeFrame.Credit(1, Stream.STDOUT, 7),
                        new NodeFrame.Credit(1, Stream.STDERR, 4),
                        new NodeFrame.Credit(2, Stream.STDOUT, 9)));
        assertThat(processes.owesNothing()).isTrue();
        assertThat(processes.takeCredit()).isEmpty();
    }

    @Test
    void outputIsAcceptedAfterTheEndOfItsProcessButNotBeforeItsRequest() {
        order(ProcessId.COMMAND);
        processes.heard(new GuestFrame.Exited(1, 0));

        assertThat(processes.output(1)).isPresent();
        assertThat(processes.output(2)).isEmpty();
    }

    private void order(ProcessId process) {
        processes.ordered(new NodeFrame.Spawn(
                process.value(), List.of("agent"), Map.of(), "/", 1, 1, Map.of(), Optional.empty(), 1024));
    }

    private OutputPipe pipe(int process) {
        return processes.output(process).orElseThrow();
    }
}
