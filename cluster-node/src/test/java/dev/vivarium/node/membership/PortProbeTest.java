package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortProbeTest {
    private static final Duration AT_MOST = Duration.ofMillis(500);

    @Test
    void openAndClosedPortsAreDistinguished() throws IOException {
        int port;
        try (ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            port = listening.getLocalPort();
            assertThat(PortProbe.ask("127.0.0.1", port, AT_MOST)).isEqualTo(PortProbe.Answer.LISTENS);
        }
        assertThat(PortProbe.ask("127.0.0.1", port, AT_MOST)).isEqualTo(PortProbe.Answer.REFUSED);
    }

    /** Like a machine behind a filter: here the kernel's backlog is full because nothing accepts connections. */
    @Test
    void aMachineThatDoesNotAnswerHasNotCrashed() throws IOException {
        List<Socket> waiting = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            while (connects(full, waiting)) {
                assertThat(waiting).hasSizeLessThan(50);
            }

            assertThat(PortProbe.ask("127.0.0.1", full.getLocalPort(), AT_MOST)).isEqualTo(PortProbe.Answer.SILENT);
        } finally {
            for (Socket socket : waiting) {
                socket.close();
            }
        }
    }

    @Test
    void anUnknownNameIsNoCrash() {
        assertThat(PortProbe.ask("nobody.invalid", 25_520, AT_MOST)).isEqualTo(PortProbe.Answer.SILENT);
    }

    private static boolean connects(ServerSocket full, List<Socket> waiting) throws IOException {
        Socket socket = new Socket();
        waiting.add(socket);
        try {
            socket.connect(new InetSocketAddress(full.getInetAddress(), full.getLocalPort()), 200);
            return true;
        } catch (SocketTimeoutException noMore) {
            return false;
        }
    }
}
