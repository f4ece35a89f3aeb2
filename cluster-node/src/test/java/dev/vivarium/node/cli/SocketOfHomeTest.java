package dev.vivarium.node.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.LocalServer;
import dev.vivarium.client.ScriptedNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands that name no node talk to the one that listens in their home. */
@Timeout(60)
class SocketOfHomeTest {
    private static final String NO_RUNS = "{\"runs\":[],\"next\":null}";

    @TempDir
    private Path home;

    private final CommandLineFixture line = new CommandLineFixture();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private ServerSocketChannel socket;

    @BeforeEach
    void listen() throws IOException {
        line.home = home;
        Files.createDirectory(home.resolve("socket"));
        socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(LocalServer.socketIn(home)));
        Thread serving = new Thread(this::serve);
        serving.setDaemon(true);
        serving.start();
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
    }

    private void serve() {
        while (socket.isOpen()) {
            try (SocketChannel client = socket.accept();
                    InputStream in = Channels.newInputStream(client);
                    OutputStream out = Channels.newOutputStream(client)) {
                ByteArrayOutputStream head = new ByteArrayOutputStream();
                for (int next = in.read(); next >= 0; next = in.read()) {
                    head.write(next);
                    if (head.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
                        requests.add(head.toString(ISO_8859_1));
                        out.write(("HTTP/1.1 200 OK\r\nContent-Length: " + NO_RUNS.length() + "\r\n\r\n" + NO_RUNS)
                                .getBytes(ISO_8859_1));
                        break;
                    }
                }
            } catch (IOException over) {
                // A connection without a request, or the end.
            }
        }
    }

    @Test
    void aCommandThatNamesNoNodeFindsTheSocketAndPresentsNoToken() throws Exception {
        Files.writeString(home.resolve("token"), "viv_of_the_port");

        assertThat(line.run("ps")).isZero();

        assertThat(requests).hasSize(1);
        assertThat(requests.get(0)).startsWith("GET /v1/runs").doesNotContain("Authorization");
    }

    @Test
    void aTokenOfTheEnvironmentIsPresentedThereToo() {
        line.environment.put("VIVARIUM_TOKEN", "viv_mine");

        assertThat(line.run("ps")).isZero();

        assertThat(requests.get(0)).contains("Authorization: Bearer viv_mine\r\n");
    }

    @Test
    void aNodeThatIsNamedGoesBeforeTheSocket() throws Exception {
        try (ScriptedNode other = new ScriptedNode()) {
            other.on("GET /v1/runs", ScriptedNode.json(200, NO_RUNS));
            assertThat(line.against(other).run("ps")).isZero();
            assertThat(other.requests()).hasSize(1);

            assertThat(line.run("ps", "--server", "unix:" + LocalServer.socketIn(home)))
                    .isZero();
        }
        assertThat(requests).hasSize(1);
    }

    @Test
    void anAddressOfASocketIsAnAbsolutePath() {
        assertThat(line.run("ps", "--server", "unix:api.sock")).isEqualTo(2);
        assertThat(line.noted())
                .contains("'unix:api.sock' is not the address of a socket; it must be like unix:/path/to/api.sock.");
    }

    @Test
    void whereNobodyListensASentenceSaysSo() {
        assertThat(line.run("ps", "--server", "unix:" + home.resolve("none.sock")))
                .isEqualTo(69);
        assertThat(line.noted())
                .contains("No node answers at unix:" + home.resolve("none.sock") + " (no such file or directory).");
    }
}
