package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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

/** The container engine's own API, as somebody would use it who runs agents without Vivarium. */
public final class EngineApi {
    private static final String DEFAULT = "unix:///var/run/docker.sock";
    private static final byte[] NOTHING = {};
    private static final String JSON = "Content-Type: application/json\r\n";
    private static final String UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    private static final int STDOUT = 1;
    private static final int NOT_FOUND = 404;
    private static final int NO_STATUS = 0;
    /** What an engine takes at most to remove a container, on a crowded machine. */
    private static final long REMOVAL_MILLIS = 5_000;

    private final URI address;

    public EngineApi(URI address) {
        this.address = address;
    }

    /** The engine that this environment names. */
    public static EngineApi of(Map<String, String> environment) {
        String named = environment.getOrDefault("DOCKER_HOST", "");
        return new EngineApi(URI.create(named.isEmpty() ? DEFAULT : named));
    }

    /** Its version and what else makes a difference to its speed. */
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

    /** Makes a container and gives its id. */
    public String create(ObjectNode container) throws IOException {
        return call("POST", "/containers/create", Json.bytes(container))
                .path("Id")
                .asText();
    }

    public void start(String id) throws IOException {
        call("POST", "/containers/" + id + "/start", NOTHING);
    }

    /** Waits until its process has ended, and gives the exit code. */
    public int awaitExit(String id) throws IOException {
        return call("POST", "/containers/" + id + "/wait", NOTHING)
                .path("StatusCode")
                .asInt(-1);
    }

    /** Removes it, whether it runs or not. */
    public void remove(String id) throws IOException {
        call("DELETE", "/containers/" + id + "?force=1", NOTHING);
    }

    /** Removes it if it is there, or leaves that to whoever has begun to. */
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

    /** The containers that a filter of the engine's finds, whether they run or not. */
    public List<String> list(String filter, String value) throws IOException {
        return list(filter, value, "all=1&");
    }

    /** Those of them that run. */
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
        ObjectNode filters = Json.object();
        wanted.forEach((filter, value) -> filters.putArray(filter).add(value));
        return URLEncoder.encode(filters.toString(), StandardCharsets.UTF_8);
    }

    /** What happens to the containers with a label, from now on, or from a moment that the engine still remembers. */
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

    /** The process on this machine that is the container's first one; 0 when it does not run, or is not known yet. */
    public long firstProcess(String id) throws IOException {
        // The engine lists a container by its name a moment before it can say more of it.
        return exchange("GET", "/containers/" + id + "/json", NOTHING, NOT_FOUND)
                .path("State")
                .path("Pid")
                .asLong();
    }

    /** What the engine itself measures of a container, once. */
    public void stats(String id) throws IOException {
        call("GET", "/containers/" + id + "/stats?stream=false&one-shot=true", NOTHING);
    }

    /** Opens a container's output; nothing of it may be lost, so before its start. */
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

    /** An answer with the status that is accepted beside success counts as an empty one. */
    private JsonNode exchange(String method, String path, byte[] body, int accepted) throws IOException {
        String headers = body.length == 0 ? "" : JSON;
        try (EngineWire wire = EngineWire.exchange(address, method, path, headers, body)) {
            byte[] answer = wire.answer().readAllBytes();
            if (wire.status() == accepted) {
                return Json.parse(NOTHING);
            }
            if (wire.status() / 100 != 2) {
                throw new IOException("The engine answers " + wire.status() + " to " + method + " " + path + ": "
                        + new String(answer, StandardCharsets.UTF_8).strip());
            }
            return Json.parse(answer);
        }
    }

    /** What a container prints. */
    public static final class Output implements Closeable {
        private final EngineWire wire;

        private Output(EngineWire wire) {
            this.wire = wire;
        }

        /** Waits for the first byte on its standard output. */
        public void awaitFirstByte() throws IOException {
            DataInputStream frames = new DataInputStream(wire.answer());
            // Each piece has a head: the stream, three zero bytes, the length (Docker's API, "attach").
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
