package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.ProcessId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The output of one process, for its credit: the guest gets credit back for received bytes once they are stored. A
 * process that prints faster than its output can be stored is slowed down, without affecting others. Used by one
 * Sandbox actor; not thread-safe.
 */
final class OutputPipe {
    private final ProcessId process;
    private final Map<NodeFrame.Stream, Integer> owedBytes = new EnumMap<>(NodeFrame.Stream.class);

    OutputPipe(ProcessId process) {
        this.process = process;
    }

    /** Bytes were received, whether kept or dropped at the run's limit. */
    void came(NodeFrame.Stream stream, int bytes) {
        owedBytes.merge(stream, bytes, Integer::sum);
    }

    boolean owesNothing() {
        return owedBytes.isEmpty();
    }

    /** Removes and returns the credit for received bytes, to be sent when they are stored. */
    List<NodeFrame.Credit> takeCredit() {
        List<NodeFrame.Credit> credit = new ArrayList<>();
        owedBytes.forEach((stream, bytes) -> credit.add(new NodeFrame.Credit(process.value(), stream, bytes)));
        owedBytes.clear();
        return credit;
    }
}
