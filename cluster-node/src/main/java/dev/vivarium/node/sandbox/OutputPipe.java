package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.ProcessId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The output of one process, as far as its guest needs credit for more: what has come is owed until it is stored. A process
 * that prints faster than its output can be kept is held up by that alone, and holds up no other. Owned by one Sandbox
 * actor; not safe for use by others.
 */
final class OutputPipe {
    private final ProcessId process;
    private final Map<NodeFrame.Stream, Integer> owedBytes = new EnumMap<>(NodeFrame.Stream.class);

    OutputPipe(ProcessId process) {
        this.process = process;
    }

    /** So many bytes have come, whether they are kept or cut off at the run's limit. */
    void came(NodeFrame.Stream stream, int bytes) {
        owedBytes.merge(stream, bytes, Integer::sum);
    }

    boolean owesNothing() {
        return owedBytes.isEmpty();
    }

    /** The credit for what has come, to be given when it is stored; it is owed no more. */
    List<NodeFrame.Credit> takeCredit() {
        List<NodeFrame.Credit> credit = new ArrayList<>();
        owedBytes.forEach((stream, bytes) -> credit.add(new NodeFrame.Credit(process.value(), stream, bytes)));
        owedBytes.clear();
        return credit;
    }
}
