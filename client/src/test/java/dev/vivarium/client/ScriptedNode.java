package dev.vivarium.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A node with scripted answers; the last answer to a call is repeated for further calls. */
public final class ScriptedNode implements AutoCloseable {
    public static final RetryPolicy SHORT =
            new RetryPolicy(Duration.ofMillis(500), Duration.ofMillis(5), Duration.ofMillis(20));

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Deque<Answer>> script = new HashMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();

    /** How the node answers a request. */
    public interface Answer {
        void give(HttpExchange exchange) throws IOException;
    }

    /** A received request. */
    public record Request(String line, Map<String, List<String>> headers, String body) {
        public String header(String name) {
            return headers.getOrDefault(name, List.of("")).get(0);
        }
    }

    public ScriptedNode() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public ApiClient client() {
        return new ApiClient(uri(), Credentials.of("viv_scripted"), SHORT);
    }

    /** Adds answers to a call such as {@code GET /v1/runs}, regardless of its query. */
    public ScriptedNode on(String call, Answer... answers) {
        synchronized (script) {
            script.computeIfAbsent(call, key -> new ArrayDeque<>()).addAll(List.of(answers));
        }
        return this;
    }

    public List<Request> requests() {
        return requests;
    }

    /** The requests of one call. */
    public List<Request> requests(String call) {
        return requests.stream()
                .filter(request -> request.line().startsWith(call))
                .toList();
    }

    public static Answer json(int status, String body) {
        return answer(status, status < 400 ? "application/json" : "application/problem+json", body);
    }

    public static Answer answer(int status, String type, String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                exchange.getResponseBody().write(bytes);
            }
        };
    }

    /** Announces more bytes than it sends, and closes the connection. */
    public static Answer cutOff(String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length + 1_000);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
            throw new IOException("cut off, as scripted");
        };
    }

    /** Closes the connection without an answer. */
    public static Answer hangUp() {
        return exchange -> {
            throw new IOException("hung up, as scripted");
        };
    }

    private void answer(HttpExchange exchange) throws IOException {
        String call =
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        requests.add(new Request(
                exchange.getRequestMethod() + " " + exchange.getRequestURI(),
                Map.copyOf(exchange.getRequestHeaders()),
                body));
        Answer next;
        synchronized (script) {
            Deque<Answer> answers = script.getOrDefault(call, new ArrayDeque<>());
            next = answers.size() > 1 ? answers.poll() : answers.peek();
        }
        try (exchange) {
            if (next == null) {
                next = json(
                        404,
                        "{\"type\":\"urn:x\",\"title\":\"Not scripted\",\"status\":404,\"detail\":\"" + call + "\"}");
            }
            next.give(exchange);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
