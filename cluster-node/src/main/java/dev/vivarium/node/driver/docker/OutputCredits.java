package dev.vivarium.node.driver.docker;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts what each stream of each process may still send, so that a guest that ignores its credit is found out. Streams
 * that the node has not opened, or that have ended, are not counted: the listener knows what to think of them.
 */
final class OutputCredits {
    private final Map<Source, Long> bytesLeft = new HashMap<>();

    private record Source(int process, NodeFrame.Stream stream) {}

    /** To be told before the frame is sent: the answer may come at once. */
    synchronized void sending(NodeFrame frame) {
        if (frame instanceof NodeFrame.Spawn spawn) {
            for (NodeFrame.Stream stream : NodeFrame.Stream.values()) {
                bytesLeft.put(new Source(spawn.process(), stream), (long) spawn.outputWindowBytes());
            }
        } else if (frame instanceof NodeFrame.Credit credit) {
            bytesLeft.computeIfPresent(
                    new Source(credit.process(), credit.stream()), (source, bytes) -> bytes + credit.bytes());
        }
    }

    /** Tells whether the guest was allowed to send the frame. */
    synchronized boolean admits(GuestFrame frame) {
        if (frame instanceof GuestFrame.Output output) {
            Source source = new Source(output.process(), output.stream());
            Long left = bytesLeft.computeIfPresent(
                    source, (ignored, bytes) -> bytes - output.data().length());
            return left == null || left >= 0;
        }
        if (frame instanceof GuestFrame.OutputClosed closed) {
            bytesLeft.remove(new Source(closed.process(), closed.stream()));
        }
        return true;
    }
}
