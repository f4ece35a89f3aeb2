package dev.vivarium.node.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

    private DryRun() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("vivarium-");
        HttpServer node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.createContext("/", DryRun::answer);
        node.start();
        try {
            String server = "http://127.0.0.1:" + node.getAddress().getPort();
            for (String command : List.of(
                    "run -- true",
                    "run --file " + folder + " -- true",
                    "ps",
                    "show " + ID,
                    "logs " + ID,
                    "events " + ID,
                    "cancel " + ID,
                    "version",
                    "--help")) {
                int code = play(command, server);
                if (command.startsWith("ps") && code != ExitCode.OK) {
                    throw new IllegalStateException(command + " came to " + code);
                }
            }
        } finally {
            node.stop(0);
            Files.delete(folder);
        }
    }

    private static int play(String command, String server) {
        OutputStream nowhere = OutputStream.nullOutputStream();
        Surroundings surroundings = new Surroundings(
                new Terminal(nowhere, nowhere, Terminal.Kind.PIPE, Terminal.Kind.PIPE, 80, Table.Colours.OFF),
                Map.of("VIVARIUM_SERVER", server),
                Path.of(""),
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

    private static void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        boolean followed = "follow=output".equals(exchange.getRequestURI().getQuery());
        String body = path.endsWith("/output") || followed
                ? CHUNK
                : path.endsWith("/events")
                        ? "{\"events\":[" + EVENT + "]}"
                        : path.equals("/v1/runs") && exchange.getRequestMethod().equals("GET")
                                ? "{\"runs\":[" + RUN + "],\"next\":null}"
                                : RUN;
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", followed ? "application/x-ndjson" : "application/json");
            exchange.getResponseHeaders().set("Run-Id", ID);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
