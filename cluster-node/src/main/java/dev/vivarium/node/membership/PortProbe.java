package dev.vivarium.node.membership;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** Asks a machine whether any process listens at a port. Blocks. */
public final class PortProbe {
    private PortProbe() {}

    /** What the machine says. */
    public enum Answer {
        /** A process listens; one that is frozen does so, too. */
        LISTENS,
        /** None does: whatever had the port has ended. */
        REFUSED,
        /** Nothing. The machine may be gone, or cut off. */
        SILENT
    }

    /** Connects, says nothing, and closes. */
    public static Answer ask(String host, int port, Duration atMost) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), Math.toIntExact(atMost.toMillis()));
            return Answer.LISTENS;
        } catch (ConnectException refused) {
            // What a kernel gives up by itself ends alike, but takes much longer than we wait.
            return Answer.REFUSED;
        } catch (IOException silent) {
            return Answer.SILENT;
        }
    }
}
