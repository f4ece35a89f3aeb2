package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The engine through the docker command, as an operator sees it: an independent check of what the driver did. */
final class Docker {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Docker() {}

    /** Runs the docker command and returns its output; fails with what it printed. */
    static String run(String... arguments) {
        return run(new byte[0], arguments);
    }

    static String run(byte[] input, String... arguments) {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (var stdin = process.getOutputStream();
                    InputStream source = new ByteArrayInputStream(input)) {
                source.transferTo(stdin);
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError(
                        String.join(" ", command) + " failed; these tests need a container engine: " + output);
            }
            return output.strip();
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError("These tests need a container engine and the docker command.", failure);
        }
    }

    static List<String> containers(String label) {
        return run("ps", "-a", "--no-trunc", "--format", "{{.Names}}", "--filter", "label=" + label)
                .lines()
                .toList();
    }

    /** The id of the one container with this label. */
    static String byLabel(String label) {
        return run("ps", "-a", "-q", "--no-trunc", "--filter", "label=" + label);
    }

    static JsonNode inspect(String container) {
        try {
            return JSON.readTree(run("inspect", container)).get(0);
        } catch (IOException notJson) {
            throw new AssertionError(notJson);
        }
    }
}
