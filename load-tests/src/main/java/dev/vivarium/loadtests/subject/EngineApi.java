package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The container engine's own API, as a user without Vivarium would use it. */
public final class EngineApi {
    private static final String DEFAULT = "unix:///var/run/docker.sock";
    private static final byte[] NOTHING = {};
    private static final String JSON = "Content-Type: application/json\r\n";
    private static final String UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    private static final int STDOUT = 1;
    private static final int NOT_FOUND = 404;
    private static final int NO_STATUS = 0;
    /** The longest that an engine takes to remove a container on a busy machine. */
    private static final long REMOVAL_MILLIS = 5_000;

    private final URI address;

    public EngineApi(URI address) {
        this.address = address;
    }

    /** The engine named by the environment. */
    public static EngineApi of(Map<String, String> environment) {
        String named = environment.getOrDefault("DOCKER_HOST", "");
        return new EngineApi(URI.create(named.isEmpty() ? DEFAULT : named));
    }

    /** Its version and other facts that affect its speed. */
    public String facts() throws IOException {
        JsonNode version = call("GET", "/version", NOTHING);
        JsonNode info = call("GET", "/info", NOTHING);
        return "Docker " + version.path("Version").asText("?") + ", API "
                + version.path("ApiVersion").asText("?") + ", "
                + info.path("Driver").asText("?") + ", runtime "
                + info.path("DefaultRuntime").asText("?") + ", cgroups v"
                + info.path("CgroupVersion").asText("1") + " ("
                + info.path("CgroupDriver").asText("?") + ")";
    }

    /** Creates a container and returns its id. */
    public String create(ObjectNode container) throws IOException {
        return call("POST", "/containers/create", ApiJson.bytes(container))
                .path("Id")
                .asText();
    }

    public void start(String id) throws IOException {
        call("POST", "/containers/" + id + "/start", NOTHING);
    }

    /** Waits until its process has ended; returns the exit code. */
    public int awaitExit(String id) throws IOException {
        return call("POST", "/containers/" + id + "/wait", NOTHING)
                .path("StatusCode")
                .asInt(-1);
    }

    /** Removes it, running or not. */
    public void remove(String id) throws IOException {
        call("DELETE", "/containers/" + id + "?force=1", NOTHING);
    }

    /** Removes it if it exists and no removal is in progress. */
    void removeIfThere(String id) throws IOException {
        try {
            exchange("DELETE", "/containers/" + id + "?force=1", NOTHING, NOT_FOUND);
        } catch (IOException conflict) {
            if (list("id", id).contains(id)) {
                Pauses.millis(REMOVAL_MILLIS);
                exchange("DELETE", "/containers/" + id + "?force=1", NOTHING, NOT_FOUND);
            }
        }
    }

    /** The containers that match an engine filter, running or not. */
    public List<String> list(String filter, String value) throws IOException {
        return list(filter, value, "all=1&");
    }

    /** The running ones among them. */
    public List<String> running(String filter, String value) throws IOException {
        return list(filter, value, "");
    }

    private List<String> list(String filter, String value, String which) throws IOException {
        List<String> ids = new ArrayList<>();
        call("GET", "/containers/json?" + which + "filters=" + filters(Map.of(filter, value)), NOTHING)
                .forEach(container -> ids.add(container.path("Id").asText()));
        return ids;
    }

    private static String filters(Map<String, String> wanted) {
        ObjectNode filters = ApiJson.object();
        wanted.forEach((filter, value) -> filters.putArray(filter).add(value));
        return URLEncoder.encode(filters.toString(), StandardCharsets.UTF_8);
    }

    /** The events of containers with a label, from now on or from a time that the engine still remembers. */
    public EngineEvents events(String label, Optional<Instant> since) throws IOException {
        String from = since.map(at -> String.format("since=%d.%09d&", at.getEpochSecond(), at.getNano()))
                .orElse("");
        EngineWire wire = EngineWire.exchange(
                address,
                "GET",
                "/events?" + from + "filters=" + filters(Map.of("label", label, "type", "container")),
                "",
                NOTHING);
        if (wire.status() != 200) {
            wire.close();
            throw new IOException("The engine tells no events: HTTP status " + wire.status() + ".");
        }
        return new EngineEvents(wire);
    }

    /** The process id on this machine of the container's first process; 0 when it is not running or not known yet. */
    public long firstProcess(String id) throws IOException {
        // The engine lists a container's name slightly before it can be inspected.
        return exchange("GET", "/containers/" + id + "/json", NOTHING, NOT_FOUND)
                .path("State")
                .path("Pid")
                .asLong();
    }

    /** Requests the engine's statistics of a container, once. */
    public void stats(String id) throws IOException {
        call("GET", "/containers/" + id + "/stats?stream=false&one-shot=true", NOTHING);
    }

    /** Opens a container's output; call before its start, so that nothing is lost. */
    public Output attach(String id) throws IOException {
        EngineWire wire = EngineWire.exchange(
                address, "POST", "/containers/" + id + "/attach?stream=1&stdout=1&stderr=1", UPGRADE, NOTHING);
        if (wire.status() != 101) {
            wire.close();
            throw new IOException("The engine did not attach: HTTP status " + wire.status() + ".");
        }
        return new Output(wire);
    }

    private JsonNode call(String method, String path, byte[] body) throws IOException {
        return exchange(method, path, body, NO_STATUS);
    }

    /** The additionally accepted status counts as an empty answer. */
    private JsonNode exchange(String method, String path, byte[] body, int accepted) throws IOException {
        String headers = body.length == 0 ? "" : JSON;
        try (EngineWire wire = EngineWire.exchange(address, method, path, headers, body)) {
            byte[] answer = wire.answer().readAllBytes();
            if (wire.status() == accepted) {
                return ApiJson.parse(NOTHING);
            }
            if (wire.status() / 100 != 2) {
                throw new IOException("The engine answers " + wire.status() + " to " + method + " " + path + ": "
                        + new String(answer, StandardCharsets.UTF_8).strip());
            }
            return ApiJson.parse(answer);
        }
    }

    /** A container's output. */
    public static final class Output implements Closeable {
        private final EngineWire wire;

        private Output(EngineWire wire) {
            this.wire = wire;
        }

        /** Waits for the first byte on its standard output. */
        public void awaitFirstByte() throws IOException {
            DataInputStream frames = new DataInputStream(wire.answer());
            // Each chunk has a header: the stream, three zero bytes, the length (Docker's API, "attach").
            int stream = frames.readInt() >>> 24;
            int length = frames.readInt();
            if (stream != STDOUT || length == 0) {
                throw new IOException("The container's first words came on its standard error.");
            }
            frames.readByte();
        }

        @Override
        public void close() throws IOException {
            wire.close();
        }
    }
}
