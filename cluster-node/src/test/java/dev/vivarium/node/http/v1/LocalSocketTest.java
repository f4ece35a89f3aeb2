package dev.vivarium.node.http.v1;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.http.local.LocalSocket;
import dev.vivarium.node.http.server.LocalConnections;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The API over a real socket, whose users are those that the kernel names. */
@Timeout(60)
class LocalSocketTest {
    private static final Duration GRACE = Duration.ofMillis(200);
    private static final int NOBODY = 65_534;
    private static final ActorSystem<Void> SYSTEM = ActorSystem.create(Behaviors.empty(), "socket");

    private final TestApi api = new TestApi("request-wait = 1s");
    private final List<AutoCloseable> opened = new ArrayList<>();

    @TempDir
    private Path folder;

    private Path path;

    @BeforeEach
    void place() {
        path = folder.resolve("socket").resolve("api.sock");
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        api.close();
    }

    @AfterAll
    static void stop() {
        SYSTEM.terminate();
        SYSTEM.getWhenTerminated().toCompletableFuture().join();
    }

    // ---- who

    @Test
    void theUserOfTheNodeIsAnOperatorWithoutAToken() throws Exception {
        listen();

        String submitted = once("POST", "/v1/runs", "Content-Type: application/json\r\n", Samples.SMALL_BODY);

        assertThat(submitted).startsWith("HTTP/1.1 202").contains("X-Content-Type-Options: nosniff");
        String id = TestApi.json(body(submitted)).path("id").asText();
        Object own = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        assertThat(once("GET", "/v1/runs/" + id + "/events", "", "")).contains("\"by\":\"local:uid-" + own + "\"");
        assertThat(once("GET", "/v1/tokens", "", "")).startsWith("HTTP/1.1 200");
    }

    @Test
    void aTokenDecidesAloneWhereThereIsOne() throws Exception {
        listen();

        assertThat(once("GET", "/v1/runs", "Authorization: Bearer viv_wrong\r\n", ""))
                .startsWith("HTTP/1.1 401");
        String viewer = "Authorization: Bearer " + api.token(Role.VIEWER, "default") + "\r\n";
        assertThat(once("GET", "/v1/runs", viewer, "")).startsWith("HTTP/1.1 200");
        assertThat(once("GET", "/v1/tokens", viewer, ""))
                .startsWith("HTTP/1.1 403")
                .contains("The role of your token is viewer");
    }

    @Test
    void theTokenOfTheMachinesOperatorIsOneThereToo() throws Exception {
        listen();

        assertThat(once("GET", "/v1/runs", api.authorization(), "")).startsWith("HTTP/1.1 200");
    }

    @Test
    void anotherUserNeedsAToken() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        listen();
        letOthersIn();

        assertThat(onceAs(NOBODY, ""))
                .startsWith("HTTP/1.1 401")
                .contains("WWW-Authenticate: Bearer")
                .contains("You are nobody on this machine")
                .contains("vivarium token create");
        assertThat(onceAs(NOBODY, "Authorization: Bearer " + api.token(Role.VIEWER, "default") + "\r\n"))
                .startsWith("HTTP/1.1 200");
        assertThat(onceAs(0, "")).startsWith("HTTP/1.1 200");
    }

    @Test
    void othersCannotReachTheSocketAtAll() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        listen();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent())))
                .isEqualTo("rwx------");
        assertThat(onceAs(NOBODY, "")).contains("PermissionError");
    }

    @Test
    void pagesOfABrowserToWhichThePortIsForwardedAreKeptOut() throws Exception {
        listen();

        assertThat(raw("GET /v1/runs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 421")
                .contains("unknown-host");
        assertThat(once("GET", "/v1/runs", "Origin: http://evil.example\r\n", ""))
                .startsWith("HTTP/1.1 403")
                .contains("cross-site");
        assertThat(once("GET", "/v1/runs", "Sec-Fetch-Site: cross-site\r\n", ""))
                .startsWith("HTTP/1.1 403");
    }

    // ---- the file

    @Test
    void whatADeadNodeLeftIsReplaced() throws Exception {
        Files.createDirectory(
                path.getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();

        listen();

        assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 200");
    }

    @Test
    void aSecondNodeLeavesTheSocketToTheFirstUntilThatHasEnded() throws Exception {
        LocalSocket first = listen();

        assertRefused("another node listens at " + path);
        assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 200");

        first.close(GRACE);
        assertThat(path).doesNotExist();
        listen();
        assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 200");
    }

    @Test
    void aSocketOfAnotherThatTookThePlaceIsNotRemoved() throws Exception {
        LocalSocket first = listen();
        Files.delete(path);
        Files.writeString(path, "another's");

        first.close(GRACE);

        assertThat(path).hasContent("another's");
    }

    @Test
    void whatIsInTheWayIsLeftAloneAndNamed() throws Exception {
        Files.createDirectory(
                path.getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path precious = Files.writeString(folder.resolve("precious"), "precious");
        Files.createSymbolicLink(path, precious);
        assertRefused(path + " is no socket, and in the way of one. Remove it");
        assertThat(Files.isSymbolicLink(path)).isTrue();
        Files.delete(path);

        Files.writeString(path, "a file");
        assertRefused(path + " is no socket");
        assertThat(path).hasContent("a file");
        Files.delete(path);

        Path lock = path.resolveSibling("api.sock.lock");
        Files.delete(lock);
        Files.createSymbolicLink(lock, precious);
        assertRefused("cannot be made");
        assertThat(precious).hasContent("precious");
    }

    @Test
    void aFolderThatIsNotItsOwnersAloneIsRefused() throws Exception {
        Files.createDirectory(path.getParent());
        Files.setPosixFilePermissions(path.getParent(), PosixFilePermissions.fromString("rwxr-x---"));
        assertRefused("others than its owner can enter " + path.getParent() + ". Close it to them with chmod 700");
        Files.delete(path.getParent());

        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Files.createSymbolicLink(path.getParent(), elsewhere);
        assertRefused(path.getParent() + " is no folder");
        Files.delete(path.getParent());

        Files.writeString(path.getParent(), "a file");
        assertRefused(path.getParent() + " is no folder");
    }

    @Test
    void aFolderOfAnotherUserIsRefused() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Files.createDirectory(
                path.getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.setAttribute(path.getParent(), "unix:uid", NOBODY);

        assertRefused("the folder of nobody");
    }

    @Test
    void aPathIsAtMostAsLongAsTheKernelTakes() throws Exception {
        String start = folder + "/s/";
        path = Path.of(start + "x".repeat(106 - start.length()));
        listen();
        assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 200");

        path = Path.of(start + "x".repeat(107 - start.length()));
        assertRefused("has 107 bytes, and a socket's has at most 106. Choose a shorter one");
    }

    // ---- connections

    @Test
    void aClientThatHasClosedItsSideStillGetsItsAnswer() throws Exception {
        listen();
        try (SocketChannel client = connect()) {
            send(client, "GET /v1/runs HTTP/1.1\r\nHost: localhost\r\n\r\n");
            client.shutdownOutput();

            assertThat(readAll(client)).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void oneConnectionTakesManyRequests() throws Exception {
        listen();
        try (SocketChannel client = connect()) {
            for (int i = 0; i < 100; i++) {
                send(client, "GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(readUntil(client, "\"checks\":[]}")).startsWith("HTTP/1.1 200");
            }
        }
    }

    @Test
    void largeBodiesPassInBothDirections() throws Exception {
        listen();
        byte[] content = new byte[6 << 20];
        new Random(7).nextBytes(content);
        try (SocketChannel client = connect()) {
            send(
                    client,
                    "PUT /v1/blobs/" + Digest.of(content) + " HTTP/1.1\r\nHost: localhost\r\n"
                            + "Content-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: "
                            + content.length
                            + "\r\n\r\n");
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                client.write(bytes);
            }
            assertThat(readAll(client)).startsWith("HTTP/1.1 20");
        }

        RunId run = api.running();
        api.runs.print(run, Stream.STDOUT, content);
        try (SocketChannel client = connect()) {
            send(client, "GET /v1/runs/" + run + "/output HTTP/1.0\r\nHost: localhost\r\n\r\n");
            byte[] answer = Channels.newInputStream(client).readAllBytes();
            byte[] tail = java.util.Arrays.copyOfRange(answer, answer.length - content.length, answer.length);
            assertThat(tail).isEqualTo(content);
        }
    }

    @Test
    void outputIsFollowedAndAFollowerThatIsGoneIsForgotten() throws Exception {
        listen();
        RunId run = api.running();
        try (SocketChannel client = connect()) {
            send(
                    client,
                    "GET /v1/runs/" + run
                            + "/output?follow=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertThat(readUntil(client, "\r\n\r\n")).startsWith("HTTP/1.1 200");
            api.runs.print(run, Stream.STDOUT, "one\n");
            assertThat(readUntil(client, "one\n")).contains("one");
            api.runs.print(run, Stream.STDOUT, "two\n");
            assertThat(readUntil(client, "two\n")).contains("two");
            assertThat(api.followers()).isEqualTo(1);
        }

        await().untilAsserted(() -> assertThat(api.followers()).isZero());
    }

    @Test
    void silentClientsAreCutOff() throws Exception {
        listen();
        try (SocketChannel client = connect()) {
            send(client, "GET /v1/runs HTT");

            assertThat(readAll(client)).doesNotContain("200");
        }
    }

    @Test
    void connectionsAreCountedApartFromThoseOfThePort() throws Exception {
        listen(2);
        for (int i = 0; i < 2; i++) {
            SocketChannel client = connect();
            opened.add(client);
            RunId run = api.running();
            send(client, "GET /v1/runs/" + run + "/output?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
            readUntil(client, "\r\n\r\n");
        }

        assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 429").contains("node-full");
        assertThat(once("GET", "/health/alive", "", "")).startsWith("HTTP/1.1 200");
        assertThat(api.get("/v1/runs").statusCode()).isEqualTo(200);

        opened.get(1).close();
        await().untilAsserted(() -> assertThat(once("GET", "/v1/runs", "", "")).startsWith("HTTP/1.1 200"));
    }

    @Test
    void connectionsBeyondTheLimitWaitForRoom() throws Exception {
        LocalConnections connections = api.server().localConnections(10);
        opened.add(closing(LocalSocket.listen(path, 3, connections::of, SYSTEM)));
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            silent.add(connect());
            opened.add(silent.get(i));
            send(silent.get(i), "GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n");
            readUntil(silent.get(i), "\"checks\":[]}");
        }
        SocketChannel waiting = connect();
        opened.add(waiting);
        send(waiting, "GET /health/alive HTTP/1.1\r\nHost: localhost\r\n\r\n");
        waiting.configureBlocking(false);
        assertThat(waiting.read(ByteBuffer.allocate(1))).isZero();
        waiting.configureBlocking(true);

        silent.get(0).close();

        assertThat(readUntil(waiting, "\"checks\":[]}")).startsWith("HTTP/1.1 200");
    }

    @Test
    void theEndOfTheNodeEndsConnectionsWithinTheGrace() throws Exception {
        LocalSocket socket = listen();
        RunId run = api.running();
        try (SocketChannel client = connect()) {
            send(client, "GET /v1/runs/" + run + "/output?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
            readUntil(client, "\r\n\r\n");

            socket.close(GRACE);

            assertThat(readAll(client)).isEmpty();
        }
        assertThat(path).doesNotExist();
        await().untilAsserted(() -> assertThat(api.followers()).isZero());
    }

    // ----

    private LocalSocket listen() throws IOException {
        return listen(256);
    }

    private LocalSocket listen(int max) throws IOException {
        LocalConnections connections = api.server().localConnections(max);
        LocalSocket socket = LocalSocket.listen(path, connections.mostAtOnce(), connections::of, SYSTEM);
        opened.add(closing(socket));
        return socket;
    }

    private static AutoCloseable closing(LocalSocket socket) {
        return () -> socket.close(GRACE);
    }

    private void assertRefused(String sentence) {
        assertThatThrownBy(this::listen).isInstanceOf(IOException.class).hasMessageContaining(sentence);
    }

    private void letOthersIn() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.setPosixFilePermissions(path.getParent(), PosixFilePermissions.fromString("rwx--x--x"));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    private static void send(SocketChannel client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    /** The answer to a request of this process. */
    private String once(String method, String target, String headers, String body) throws IOException {
        return raw(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers
                + (body.isEmpty() ? "" : "Content-Length: " + body.getBytes(UTF_8).length + "\r\n")
                + "Connection: close\r\n\r\n" + body);
    }

    private String raw(String request) throws IOException {
        try (SocketChannel client = connect()) {
            send(client, request);
            return readAll(client);
        }
    }

    /** The answer to a request for runs by a process of another user; what went wrong if it gets none. */
    private String onceAs(int uid, String headers) throws Exception {
        String request = "GET /v1/runs HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
                + headers.replace("\r\n", "\\r\\n") + "\\r\\n";
        Process client = new ProcessBuilder(
                        "setpriv",
                        "--reuid=" + uid,
                        "--regid=" + uid,
                        "--clear-groups",
                        "/usr/bin/python3",
                        "-c",
                        """
                        import socket, sys
                        s = socket.socket(socket.AF_UNIX)
                        s.connect(sys.argv[1])
                        s.sendall(b'%s')
                        while True:
                            got = s.recv(65536)
                            if not got: break
                            sys.stdout.write(got.decode())
                        """
                                .formatted(request),
                        path.toString())
                .redirectErrorStream(true)
                .start();
        String answer = new String(client.getInputStream().readAllBytes(), UTF_8);
        assertThat(client.waitFor(10, TimeUnit.SECONDS)).isTrue();
        return answer;
    }

    private static String readAll(SocketChannel client) throws IOException {
        return new String(Channels.newInputStream(client).readAllBytes(), UTF_8);
    }

    private static String readUntil(SocketChannel client, String end) throws IOException {
        InputStream in = Channels.newInputStream(client);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        while (!text.toString(UTF_8).endsWith(end)) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("The connection ended after: " + text);
            }
            text.write(next);
        }
        return text.toString(UTF_8);
    }

    private static String body(String answer) {
        return answer.substring(answer.indexOf("\r\n\r\n") + 4);
    }
}
