package dev.vivarium.node.whole;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.persistence.cassandra.CassandraServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A cluster on this machine that is run with {@code vivarium cluster}, in a separate home. */
final class ClusterByCommand implements AutoCloseable {
    private static final int COMMAND_SECONDS_MAX = 400;

    private final Path home;
    private final int httpPort;
    private final int portBase;

    /** A command's exit code and output. */
    record Ended(int code, String out, String err) {}

    ClusterByCommand() {
        try {
            home = Files.createTempDirectory(Path.of("/tmp"), "vivarium-local-cluster-");
            httpPort = freePort();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        // Below the kernel's ephemeral ports.
        portBase = 20_000 + httpPort % 4_000 * 3;
    }

    /** {@code vivarium cluster up}, at unused ports. */
    Ended up(String... further) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("cluster", "up"));
        words.addAll(List.of("--http-port", Integer.toString(httpPort), "--port-base", Integer.toString(portBase)));
        words.addAll(List.of(further));
        return vivarium(words.toArray(String[]::new));
    }

    @Override
    public void close() throws IOException {
        // Also after a test that timed out and is interrupted: its members would outlive it.
        boolean interrupted = Thread.interrupted();
        try {
            vivarium("cluster", "down");
            DataDirectory.delete(home);
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- a user's commands

    /** What its nodes' operator proves itself with; for a cluster that is up. */
    Credentials credentials() {
        return Credentials.in(Credentials.fileIn(home));
    }

    Ended vivarium(String... words) throws IOException, InterruptedException {
        return vivarium(Map.of(), words);
    }

    Ended vivarium(Map<String, String> environment, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1"));
        command.add("-Dlogback.configurationFile=logback.xml");
        command.add("-Dvivarium.cassandra=" + cassandra());
        command.addAll(NodeProgram.options());
        command.add(NodeProgram.MAIN);
        command.addAll(List.of(words));
        Path out = home.resolve("out");
        Path err = home.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("VIVARIUM_HOME", home.toString());
        builder.environment()
                .put(
                        "VIVARIUM_JAVA_OPTS",
                        "-XX:TieredStopAtLevel=1 -Dlogback.configurationFile=logback.xml " + NodeProgram.archive());
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        assertThat(process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS))
                .as("%s: %s", List.of(words), Files.readString(err, UTF_8))
                .isTrue();
        return new Ended(process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
    }

    private static String cassandra() throws IOException {
        try (InputStream path = CassandraServer.class.getResourceAsStream("/cassandra.classpath")) {
            return new String(Optional.ofNullable(path).orElseThrow().readAllBytes(), UTF_8).strip();
        }
    }

    Path folder() {
        return home.resolve("cluster");
    }

    String api(int node) {
        return "http://127.0.0." + node + ":" + httpPort;
    }

    int httpPort() {
        return httpPort;
    }

    JsonNode show(int node, String run) throws IOException, InterruptedException {
        return ApiJson.parse(
                vivarium("show", "--server", api(node), "-o", "json", run).out().getBytes(UTF_8));
    }

    private JsonNode members() throws IOException, InterruptedException {
        return ApiJson.parse(vivarium("cluster", "status", "-o", "json").out().getBytes(UTF_8))
                .path("members");
    }

    Map<String, String> states() throws IOException, InterruptedException {
        Map<String, String> states = new TreeMap<>();
        members()
                .forEach(member -> states.put(
                        member.path("member").asText(), member.path("state").asText()));
        return states;
    }

    JsonNode statusOf(String name) throws IOException, InterruptedException {
        for (JsonNode member : members()) {
            if (member.path("member").asText().equals(name)) {
                return member;
            }
        }
        throw new AssertionError("There is no " + name + ".");
    }

    long pid(String member) throws IOException {
        return Long.parseLong(
                Files.readString(folder().resolve(member).resolve("pid")).strip());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
