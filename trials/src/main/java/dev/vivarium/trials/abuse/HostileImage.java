package dev.vivarium.trials.abuse;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.trials.abuse.ImageChange.ImageFile;
import dev.vivarium.trials.outside.EngineSocket;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An image built for one payload by the engine: a container that is never started, files copied into it, committed with
 * changes. It has a label, so that images left by a killed process can be found:
 * {@code docker image prune -a --filter label=dev.vivarium.abuse}.
 *
 * @param engine the engine that has it
 * @param name its name
 */
record HostileImage(EngineSocket engine, String name) {
    private static final String LABEL = "dev.vivarium.abuse";
    private static final String STOP_SIGNAL = "STOPSIGNAL ";
    private static final String JSON = "application/json";

    static HostileImage make(EngineSocket engine, String base, String payload, ImageChange change) throws IOException {
        // Two processes may build the image of the same payload concurrently.
        String repository = "vivarium-abuse/" + payload;
        String tag = UUID.randomUUID().toString();
        String container = create(engine, base, payload, change);
        try {
            if (!change.files().isEmpty()) {
                engine.send(
                        "PUT",
                        "/containers/" + container + "/archive",
                        List.of(Map.entry("path", "/")),
                        "application/x-tar",
                        archive(change.files()));
            }
            List<Map.Entry<String, String>> query = new ArrayList<>();
            query.add(Map.entry("container", container));
            query.add(Map.entry("repo", repository));
            query.add(Map.entry("tag", tag));
            change.instructions().stream()
                    .filter(instruction -> !instruction.startsWith(STOP_SIGNAL))
                    .forEach(instruction -> query.add(Map.entry("changes", instruction)));
            engine.send("POST", "/commit", query, JSON, ApiJson.bytes(configuration(change)));
        } finally {
            engine.send("DELETE", "/containers/" + container, List.of(Map.entry("force", "true")), JSON, new byte[0]);
        }
        return new HostileImage(engine, repository + ":" + tag);
    }

    private static String create(EngineSocket engine, String base, String payload, ImageChange change)
            throws IOException {
        ObjectNode body = ApiJson.object();
        body.put("Image", base);
        body.putArray("Cmd").add("/nothing");
        body.putObject("Labels").put(LABEL, payload);
        var environment = body.putArray("Env");
        for (int i = 0; i < change.variables(); i++) {
            environment.add("VARIABLE_" + i + "=" + "x".repeat(change.variableBytes()));
        }
        byte[] answer = engine.send("POST", "/containers/create", List.of(), JSON, ApiJson.bytes(body));
        return ApiJson.parse(answer).path("Id").asText();
    }

    /** The one instruction that engines do not accept as a change. */
    private static ObjectNode configuration(ImageChange change) {
        ObjectNode configuration = ApiJson.object();
        change.instructions().stream()
                .filter(instruction -> instruction.startsWith(STOP_SIGNAL))
                .forEach(instruction -> configuration.put("StopSignal", instruction.substring(STOP_SIGNAL.length())));
        return configuration;
    }

    private static byte[] archive(List<ImageFile> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name())) {
            for (ImageFile file : files) {
                byte[] content = file.content().toByteArray();
                TarArchiveEntry entry = new TarArchiveEntry(file.path().substring(1));
                entry.setMode(file.mode());
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    void remove() throws IOException {
        engine.send("DELETE", "/images/" + name, List.of(Map.entry("force", "true")), JSON, new byte[0]);
    }
}
