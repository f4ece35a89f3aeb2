package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.ProcessId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The processes that this node has started in a sandbox, by id: the state and output pipe of each. The first is the
 * run's own command, {@link ProcessId#COMMAND}. A row stays until the sandbox ends, since output may follow the end of
 * its process. Used by one Sandbox actor; not thread-safe.
 */
final class ProcessTable {
    private final Map<Integer, Row> rows = new TreeMap<>();

    /** The state of a process. */
    enum State {
        /** The guest was asked to start it. */
        ORDERED,
        STARTED,
        /** It ended, or could not be started. */
        ENDED
    }

    private static final class Row {
        private final OutputPipe output;
        private State state = State.ORDERED;

        Row(ProcessId process) {
            this.output = new OutputPipe(process);
        }
    }

    /** The guest was sent this frame. */
    void ordered(NodeFrame.Spawn spawn) {
        rows.put(spawn.process(), new Row(new ProcessId(spawn.process())));
    }

    /** Updates the state according to a frame; frames about unknown processes are ignored. */
    void heard(GuestFrame frame) {
        if (frame instanceof GuestFrame.Spawned spawned) {
            move(spawned.process(), State.STARTED);
        } else if (frame instanceof GuestFrame.SpawnFailed failed) {
            move(failed.process(), State.ENDED);
        } else if (frame instanceof GuestFrame.Exited exited) {
            move(exited.process(), State.ENDED);
        } else if (frame instanceof GuestFrame.Signaled signaled) {
            move(signaled.process(), State.ENDED);
        }
    }

    private void move(int process, State state) {
        Optional.ofNullable(rows.get(process)).ifPresent(row -> row.state = state);
    }

    /** The state of the process; empty if it was never ordered. */
    Optional<State> state(ProcessId process) {
        return Optional.ofNullable(rows.get(process.value())).map(row -> row.state);
    }

    /** The output pipe of the process; empty if it was never ordered. */
    Optional<OutputPipe> output(int process) {
        return Optional.ofNullable(rows.get(process)).map(row -> row.output);
    }

    /** Whether credit has been returned for all received output. */
    boolean owesNothing() {
        return rows.values().stream().allMatch(row -> row.output.owesNothing());
    }

    /** Removes and returns the credit of all processes for received output. */
    List<NodeFrame.Credit> takeCredit() {
        List<NodeFrame.Credit> credit = new ArrayList<>();
        rows.values().forEach(row -> credit.addAll(row.output.takeCredit()));
        return credit;
    }
}
