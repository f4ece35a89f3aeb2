package dev.vivarium.node.membership;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** Probes whether a process listens on a machine's port. Blocks. */
public final class PortProbe {
    private PortProbe() {}

    /** The result. */
    public enum Answer {
        /** A process listens; a frozen one does, too. */
        LISTENS,
        /** No process listens: the one that had the port has ended. */
        REFUSED,
        /** No answer: the machine may be down or cut off. */
        SILENT
    }

    /** Connects and closes without sending anything. */
    public static Answer ask(String host, int port, Duration atMost) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), Math.toIntExact(atMost.toMillis()));
            return Answer.LISTENS;
        } catch (ConnectException refused) {
            // A timeout of the kernel's own ends alike, but takes much longer than this wait.
            return Answer.REFUSED;
        } catch (IOException silent) {
            return Answer.SILENT;
        }
    }
}
