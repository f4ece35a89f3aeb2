package dev.vivarium.node.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.LocalServer;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs the client's commands once against a simulated node, so that the JVM can record which classes a client needs (class
 * data sharing). The launcher calls it after a build; its output is discarded.
 */
final class DryRun {
    private static final String ID = "01hzy3v7m9e5q8r2t4w6x0abcd";

    private static final String RUN =
            """
            {"id":"01hzy3v7m9e5q8r2t4w6x0abcd","status":"KILLED","reason":"MEMORY",
             "measurement":{"measured":2,"limit":1,"unit":"BYTES"},"exitCode":null,"failure":null,"attempt":1,"node":"n",
             "submittedAt":"2026-01-01T00:00:00Z","startedAt":"2026-01-01T00:00:01Z","cancelRequestedAt":null,
             "finishedAt":"2026-01-01T00:00:02Z",
             "usage":{"wallMillis":1,"cpuMillis":1,"memoryPeakBytes":1,"diskPeakBytes":1,"outputBytes":1,"pidsPeak":1},
             "spec":{"image":"i","command":["c"],"env":{"A":"1"},"secrets":[],"namedSecrets":{},"workdir":"/w",
               "files":{"f":{"mode":"0644","size":0,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
               "limits":%s,
               "egress":{"mode":"none"},"isolation":"container","onNodeLoss":"restart","maxAttempts":3,
               "labels":{"team":"research"}}}
            """
                    .formatted(ApiJson.tree(Limits.SMALLEST));

    private static final String CHUNK =
            "{\"stream\":\"stdout\",\"attempt\":1,\"offset\":0,\"time\":\"2026-01-01T00:00:01Z\",\"data\":\"YQ==\"}\n";

    private static final String EVENT =
            "{\"seq\":1,\"at\":\"2026-01-01T00:00:00Z\",\"type\":\"RunSubmitted\",\"data\":{}}";

    private static final String JSON = "application/json";
    private static final String LINES = "application/x-ndjson";
    private static final Pattern CONTENT_LENGTH = Pattern.compile("(?i)\r\ncontent-length: (\\d{1,9})\r\n");

    private DryRun() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("vivarium-");
        HttpServer node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.createContext("/", DryRun::answer);
        node.start();
        try {
            rehearse(
                    Map.of(
                            "VIVARIUM_SERVER",
                            "http://127.0.0.1:" + node.getAddress().getPort()),
                    folder);
            rehearseAtASocket(folder);
        } finally {
            node.stop(0);
            remove(folder);
        }
    }

    /** The way of a command that names no node: by the socket in its home. */
    private static void rehearseAtASocket(Path home) throws IOException {
        Path socket = LocalServer.socketIn(home);
        Files.createDirectory(parent(socket));
        try (ServerSocketChannel node = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            node.bind(UnixDomainSocketAddress.of(socket));
            Thread answering = new Thread(() -> answerAll(node), "dry-run");
            answering.setDaemon(true);
            answering.start();
            rehearse(Map.of(), home);
        }
    }

    private static void rehearse(Map<String, String> environment, Path home) {
        for (String command : List.of(
                "run -- true",
                "run --file " + home + " -- true",
                "ps",
                "show " + ID,
                "logs " + ID,
                "events " + ID,
                "cancel " + ID,
                "version",
                "--help")) {
            int code = play(command, environment, home);
            if (command.startsWith("ps") && code != ExitCode.OK) {
                throw new IllegalStateException(command + " came to " + code);
            }
        }
    }

    private static Path parent(Path file) throws IOException {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IOException(file + " is no file in a folder");
        }
        return parent;
    }

    private static void remove(Path folder) throws IOException {
        Path socket = LocalServer.socketIn(folder);
        Files.deleteIfExists(socket);
        Files.deleteIfExists(parent(socket));
        Files.delete(folder);
    }

    private static int play(String command, Map<String, String> environment, Path home) {
        OutputStream nowhere = OutputStream.nullOutputStream();
        Surroundings surroundings = new Surroundings(
                new Terminal(nowhere, nowhere, Terminal.Kind.PIPE, Terminal.Kind.PIPE, 80, Table.Colours.OFF),
                environment,
                home,
                Path.of(""),
                Interrupts.ofProcess(),
                options -> {
                    throw new NodeStartException("No node is started in a rehearsal.");
                },
                RetryPolicy.DEFAULT,
                name -> Optional.empty(),
                Clock.systemUTC());
        String[] arguments = command.split(" ", -1);
        return Vivarium.commandLine(surroundings, arguments).execute(arguments);
    }

    /** One request a connection, as the commands send them, until the socket is closed. */
    private static void answerAll(ServerSocketChannel node) {
        while (node.isOpen()) {
            try (SocketChannel client = node.accept();
                    InputStream in = Channels.newInputStream(client)) {
                answer(client, in);
            } catch (IOException over) {
                // A connection without a request, with which a command looks whether a node listens; or the end.
            }
        }
    }

    private static void answer(SocketChannel client, InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                return;
            }
            head.append((char) next);
        }
        Matcher length = CONTENT_LENGTH.matcher(head);
        if (length.find()) {
            in.readNBytes(Integer.parseInt(length.group(1)));
        }
        Answer answer = Answer.to(
                head.substring(0, head.indexOf(" ")),
                URI.create(head.substring(head.indexOf(" ") + 1, head.indexOf(" HTTP/"))));
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        String first = "HTTP/1.1 200 OK\r\nContent-Type: " + answer.type() + "\r\nRun-Id: " + ID;
        // A stream has no length beforehand.
        String whole = answer.type().equals(LINES)
                ? first + "\r\nTransfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(body.length) + "\r\n"
                        + answer.body() + "\r\n0\r\n\r\n"
                : first + "\r\nContent-Length: " + body.length + "\r\n\r\n" + answer.body();
        ByteBuffer bytes = ByteBuffer.wrap(whole.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    /** What the simulated node says. */
    private record Answer(String type, String body) {
        static Answer to(String method, URI target) {
            String path = target.getPath();
            if ("follow=output".equals(target.getQuery())) {
                return new Answer(LINES, CHUNK);
            }
            if (path.endsWith("/output")) {
                return new Answer(JSON, CHUNK);
            }
            if (path.endsWith("/events")) {
                return new Answer(JSON, "{\"events\":[" + EVENT + "]}");
            }
            boolean list = path.equals("/v1/runs") && method.equals("GET");
            return new Answer(JSON, list ? "{\"runs\":[" + RUN + "],\"next\":null}" : RUN);
        }
    }

    private static void answer(HttpExchange exchange) throws IOException {
        Answer answer = Answer.to(exchange.getRequestMethod(), exchange.getRequestURI());
        byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.getResponseHeaders().set("Run-Id", ID);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
