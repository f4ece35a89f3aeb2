package dev.vivarium.client;

import static dev.vivarium.client.SampleRuns.ID;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client over a real socket, to a node that answers as the test says, byte by byte. */
@Timeout(30)
class SocketTransportTest {
    private static final String RUN = "{\"id\":\"" + ID + "\"}";

    @TempDir
    private Path folder;

    private Path path;
    private ServerSocketChannel server;
    private final Deque<Answer> answers = new ArrayDeque<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);

    /** What the node does with a connection whose request's head it has read. */
    private interface Answer {
        void give(SocketChannel client, InputStream in, OutputStream out) throws Exception;
    }

    @BeforeEach
    void listen() throws IOException {
        Files.createDirectory(folder.resolve("socket"));
        path = LocalServer.socketIn(folder);
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        Thread serving = new Thread(this::serve);
        serving.setDaemon(true);
        serving.start();
    }

    @AfterEach
    void close() throws IOException {
        end.countDown();
        server.close();
    }

    private void serve() {
        while (server.isOpen()) {
            try (SocketChannel client = server.accept();
                    InputStream in = Channels.newInputStream(client);
                    OutputStream out = Channels.newOutputStream(client)) {
                ByteArrayOutputStream head = new ByteArrayOutputStream();
                while (!head.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
                    int next = in.read();
                    if (next < 0) {
                        break;
                    }
                    head.write(next);
                }
                requests.add(head.toString(ISO_8859_1));
                Answer answer = answers.size() > 1 ? answers.remove() : answers.peek();
                if (answer != null && head.size() > 0) {
                    answer.give(client, in, out);
                }
            } catch (Exception over) {
                // A connection without a request, or the end.
            }
        }
    }

    private void answers(String... texts) {
        for (String text : texts) {
            answers.add((client, in, out) -> out.write(text.getBytes(ISO_8859_1)));
        }
    }

    private ApiClient client() {
        return client(Duration.ofSeconds(10));
    }

    private ApiClient client(Duration answerTimeout) {
        return new ApiClient(LocalServer.at(path), Credentials.of("viv_socket"), ScriptedNode.SHORT, answerTimeout);
    }

    private static String json(String body) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n"
                + body;
    }

    // ---- what is sent, and how answers are framed

    @Test
    void aRequestNamesTheNodeLocalhostAndAsksForTheConnectionsEnd() throws Exception {
        answers(json(RUN));

        assertThat(client().run(ID).path("id").asText()).isEqualTo(ID);

        assertThat(requests).hasSize(1);
        assertThat(requests.get(0))
                .startsWith("GET /v1/runs/" + ID + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
                .contains("Authorization: Bearer viv_socket\r\n", "Accept: application/json\r\n")
                .doesNotContain("Content-Length");
    }

    @Test
    void aBodyIsSentWithItsLength() throws Exception {
        CompletableFuture<String> body = new CompletableFuture<>();
        answers.add((client, in, out) -> {
            body.complete(new String(in.readNBytes(18), ISO_8859_1));
            out.write(json(RUN).getBytes(ISO_8859_1));
        });

        client().submit(ApiJson.object().put("image", "agents"), "key");

        assertThat(body.join()).isEqualTo("{\"image\":\"agents\"}");
        assertThat(requests.get(0)).contains("Content-Length: 18\r\n", "Idempotency-Key: key\r\n");
    }

    @Test
    void aLargeFileIsStreamed() throws Exception {
        byte[] content = new byte[3 << 20];
        Arrays.fill(content, (byte) 'x');
        Path file = Files.write(folder.resolve("file"), content);
        CompletableFuture<Integer> received = new CompletableFuture<>();
        answers.add((client, in, out) -> {
            received.complete(in.readNBytes(content.length).length);
            out.write(json("{}").getBytes(ISO_8859_1));
        });

        client().putBlob(Digest.of(content), file, Optional.empty());

        assertThat(received.join()).isEqualTo(content.length);
    }

    @Test
    void aNodeThatRefusesABodyBeforeItHasReadItIsHeard() throws Exception {
        Path file = Files.write(folder.resolve("file"), new byte[3 << 20]);
        String problem = "{\"title\":\"Too large\",\"detail\":\"It is too large.\"}";
        answers("HTTP/1.1 413 Too Large\r\nContent-Length: " + problem.length() + "\r\n\r\n" + problem);

        assertThatThrownBy(() -> client().putBlob(Digest.of(new byte[0]), file, Optional.empty()))
                .isInstanceOf(ApiException.Refused.class)
                .hasMessage("It is too large.");
    }

    @Test
    void chunksAreJoinedAndTheirExtensionsAndTrailersPassedOver() throws Exception {
        answers("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
                + "3;a=b\r\n{\"i\r\n1b\r\nd\":\"" + ID.substring(0, 23) + "\r\n5 \r\n" + ID.substring(23)
                + "\"}\r\n0\r\nTrailer: x\r\n\r\n");

        assertThat(client().run(ID).path("id").asText()).isEqualTo(ID);
    }

    @Test
    void aBodyWithoutALengthEndsWithTheConnection() throws Exception {
        answers("HTTP/1.0 200 OK\r\n\r\n" + RUN);

        assertThat(client().run(ID).path("id").asText()).isEqualTo(ID);
    }

    @Test
    void outputIsPassedOnWhileItComes() throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        answers.add((client, in, out) -> {
            out.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n".getBytes(ISO_8859_1));
            seen.await();
            out.write("4\r\ntwo\n\r\n0\r\n\r\n".getBytes(ISO_8859_1));
        });

        try (InputStream output = client().output(ID, Stream.STDOUT, OutputFollower.Mode.TO_THE_END)) {
            assertThat(new String(output.readNBytes(4), ISO_8859_1)).isEqualTo("one\n");
            seen.countDown();
            assertThat(new String(output.readAllBytes(), ISO_8859_1)).isEqualTo("two\n");
        }
    }

    // ---- what goes wrong

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"i\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"i",
                "HTTP/1.1 200 OK\r\nContent-",
                ""
            })
    void anAnswerThatIsCutOffIsAskedForAgain(String part) throws Exception {
        answers(part, json(RUN));

        assertThat(client().run(ID).path("id").asText()).isEqualTo(ID);
        assertThat(requests).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.9\r\n\r\n",
                "HTTP/2 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
            })
    void whatIsNoAnswerIsReported(String text) {
        answers(text);

        assertThatThrownBy(() -> client().run(ID))
                .isInstanceOf(ApiException.NodeUnreachable.class)
                .hasMessageContaining("No node answers at unix:" + path);
    }

    @Test
    void headsWithoutEndAreCutOff() {
        answers("HTTP/1.1 200 OK\r\nA: " + "a".repeat(70_000) + "\r\n\r\n");
        assertThatThrownBy(() -> client().run(ID)).hasMessageContaining("the head of the answer is too long");

        answers.clear();
        answers("HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(201) + "\r\n");
        assertThatThrownBy(() -> client().run(ID)).hasMessageContaining("more than 200 headers");

        answers.clear();
        answers("HTTP/1.1 100 Continue\r\n\r\n".repeat(20));
        assertThatThrownBy(() -> client().run(ID)).hasMessageContaining("does not come after 8");
    }

    @Test
    void aNodeThatIsSilentForTooLongIsGivenUp() {
        answers.add((client, in, out) -> end.await());

        assertThatThrownBy(() -> client(Duration.ofMillis(50)).submit(ApiJson.object()))
                .isInstanceOf(ApiException.NodeUnreachable.class)
                .hasMessageContaining("request timed out");
    }

    @Test
    void anInterruptEndsTheWaitForAnAnswer() throws Exception {
        answers.add((client, in, out) -> end.await());

        assertInterrupted(() -> client().run(ID));
    }

    @Test
    void anInterruptEndsTheWaitForOutput() throws Exception {
        answers.add((client, in, out) -> {
            out.write("HTTP/1.1 200 OK\r\n\r\none".getBytes(ISO_8859_1));
            end.await();
        });

        assertInterrupted(() -> {
            try (InputStream output = client().output(ID, Stream.STDOUT, OutputFollower.Mode.TO_THE_END)) {
                output.readAllBytes();
            }
        });
    }

    private interface Call {
        void make() throws Exception;
    }

    private void assertInterrupted(Call call) throws Exception {
        CompletableFuture<Throwable> ended = new CompletableFuture<>();
        Thread calling = new Thread(() -> {
            try {
                call.make();
                ended.completeExceptionally(new AssertionError("It came back."));
            } catch (Exception failed) {
                ended.complete(failed);
            }
        });
        calling.start();
        while (requests.isEmpty()) {
            Thread.onSpinWait();
        }
        calling.interrupt();
        assertThat(ended.join()).isInstanceOf(InterruptedIOException.class);
    }

    @Test
    void whereNobodyListensNothingIsRetried() throws Exception {
        server.close();
        assertThatThrownBy(() -> client().run(ID))
                .isInstanceOf(ApiException.NodeUnreachable.class)
                .hasMessageContaining("No node answers at unix:" + path + " (connection refused). Start one");
        assertThat(LocalServer.listeningIn(folder)).isEmpty();

        Files.delete(path);
        assertThatThrownBy(() -> client().run(ID)).hasMessageContaining("(no such file or directory)");
        assertThat(LocalServer.listeningIn(folder)).isEmpty();
        assertThat(LocalServer.listeningIn(Path.of("x".repeat(200)))).isEmpty();
    }

    @Test
    void aNodeThatComesBackIsAskedAgain() throws Exception {
        answers.add((client, in, out) -> {
            out.write(json(RUN).getBytes(ISO_8859_1));
        });
        ApiClient client = client();
        client.run(ID);
        server.close();
        Files.delete(path);

        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
            try {
                return client.run(ID).path("id").asText();
            } catch (ApiException | InterruptedIOException failed) {
                throw new AssertionError(failed);
            }
        });
        listenAgain();

        assertThat(answer.join()).isEqualTo(ID);
    }

    private void listenAgain() throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        Thread serving = new Thread(this::serve);
        serving.setDaemon(true);
        serving.start();
    }

    @Test
    void aSocketOfAnotherUserIsSentNothing() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setPosixFilePermissions(folder.resolve("socket"), PosixFilePermissions.fromString("rwxrwxrwx"));
        Path foreign = folder.resolve("socket").resolve("foreign.sock");
        Process other = new ProcessBuilder(
                        "setpriv",
                        "--reuid=65534",
                        "--regid=65534",
                        "--clear-groups",
                        "/usr/bin/python3",
                        "-c",
                        """
                        import socket, sys
                        s = socket.socket(socket.AF_UNIX)
                        s.bind(sys.argv[1])
                        s.listen()
                        print('ready', flush=True)
                        c, _ = s.accept()
                        got = b''
                        while True:
                            more = c.recv(65536)
                            if not more: break
                            got += more
                        print('received %d bytes' % len(got), flush=True)
                        """,
                        foreign.toString())
                .redirectErrorStream(true)
                .start();
        try (var said = other.inputReader()) {
            assertThat(said.readLine()).isEqualTo("ready");

            assertThatThrownBy(() -> new ApiClient(
                                    LocalServer.at(foreign), Credentials.of("viv_secret"), RetryPolicy.DEFAULT)
                            .run(ID))
                    .isInstanceOf(ApiException.NodeUnreachable.class)
                    .hasMessageContaining("nobody listens there, who is neither you nor root, and nothing was sent");

            assertThat(said.readLine()).isEqualTo("received 0 bytes");
        } finally {
            other.destroy();
        }
    }

    @Test
    void aHomeWhoseNodeListensIsFound() {
        assertThat(LocalServer.listeningIn(folder)).contains(LocalServer.at(path));
        assertThat(Credentials.find(LocalServer.at(path), Map.of(), folder)).isEqualTo(Credentials.NONE);
    }
}
