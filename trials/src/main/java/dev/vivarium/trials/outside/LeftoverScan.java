package dev.vivarium.trials.outside;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Counts sandboxes and their processes from outside: it asks the engine and the kernel, and never the node. From its
 * start on it records every container of an installation, so that it also finds processes of containers that the engine no
 * longer knows. Sandboxes that were made without the engine are found by their control groups and folders.
 */
public final class LeftoverScan implements AutoCloseable {
    /** The label of an installation's sandboxes, which no other container has. */
    private static final String LABEL = "dev.vivarium.installation";
    /** The name of a container that waits ends with the sandbox's id, and that of an attempt's with the attempt. */
    private static final Pattern WAITING = Pattern.compile("-[0-9a-z]{26}$");

    private final EngineSocket engine;
    private final String filter;
    private final OciRecords records = new OciRecords();
    private final String mark;
    private final InputStream births;
    private final Set<String> containers = ConcurrentHashMap.newKeySet();

    /**
     * Starts recording new containers.
     *
     * @param environment the environment variables that name the engine
     * @param installation the name of the installation whose sandboxes are counted
     * @throws IOException with a sentence for the user when the engine does not answer
     */
    public LeftoverScan(Map<String, String> environment, String installation) throws IOException {
        this.engine = EngineSocket.of(environment);
        this.filter = LABEL + "=" + installation;
        this.mark = OciRecords.mark(installation);
        this.births = engine.get(
                "/events", Map.of("filters", filters(Map.of("label", filter, "type", "container", "event", "create"))));
        Thread clerk = new Thread(this::writeDown, "leftover-scan");
        clerk.setDaemon(true);
        clerk.start();
    }

    private void writeDown() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(births, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String id = ApiJson.parse(line.getBytes(StandardCharsets.UTF_8))
                        .path("id")
                        .asText();
                if (!id.isEmpty()) {
                    containers.add(id);
                }
            }
        } catch (IOException closed) {
            // Closed by close(), or by an engine that ended: then the count fails with a reason.
        }
    }

    /** Counts sandboxes and processes now. */
    public Leftovers count() throws IOException {
        List<String> living = new ArrayList<>();
        Set<String> waiting = new HashSet<>();
        try (InputStream answer =
                engine.get("/containers/json", Map.of("all", "true", "filters", filters(Map.of("label", filter))))) {
            for (JsonNode container : ApiJson.parse(answer.readAllBytes())) {
                String id = container.path("Id").asText();
                boolean waits = WAITING.matcher(container.path("Names").path(0).asText())
                        .find();
                (waits ? waiting : living).add(id);
            }
        }
        containers.addAll(living);
        if (!engine.isLocal()) {
            return new Leftovers(living.size(), OptionalInt.empty(), waiting.size());
        }
        // The sandboxes first: one that is claimed meanwhile is counted as both.
        Set<String> sandboxes = new HashSet<>(records.sandboxes(mark));
        Set<String> ready = records.waiting(mark);
        List<Long> processes = records.processes(mark, ready);
        sandboxes.removeAll(ready);
        return new Leftovers(
                living.size() + sandboxes.size(),
                OptionalInt.of(processes(waiting) + processes.size()),
                waiting.size() + ready.size());
    }

    private static String filters(Map<String, String> wanted) {
        var json = ApiJson.object();
        wanted.forEach((name, value) -> json.putArray(name).add(value));
        return ApiJson.line(json);
    }

    /** A container's control group has the container's id in its path, with every cgroup driver. */
    private int processes(Set<String> waiting) throws IOException {
        int count = 0;
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (isOurs(process, waiting)) {
                    count++;
                }
            }
        }
        return count;
    }

    private boolean isOurs(Path process, Set<String> waiting) {
        try {
            String groups = Files.readString(process.resolve("cgroup"));
            return containers.stream().anyMatch(id -> groups.contains(id) && !waiting.contains(id));
        } catch (IOException gone) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        births.close();
    }
}
