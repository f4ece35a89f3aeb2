package dev.vivarium.loadtests;

import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The node to measure: started for the benchmark, or already running. */
final class NodeOption {
    /** For the runs of a benchmark that is over. */
    private static final Duration DRAIN = Duration.ofSeconds(5);

    /** Agents of benchmarks use little of what their limits, which are a user's, let them have. */
    private static final Map<String, String> NOT_BOUND_BY_THE_MACHINE = Map.of(
            "vivarium.run.memory-max", "unlimited",
            "vivarium.run.processes-max", "unlimited",
            "vivarium.run.open-files-max", "unlimited");

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "A running node's address (default: a node is started for the benchmark, and stopped).")
    private @Nullable URI url;

    /** A node that is available while this is open. */
    interface Lease extends AutoCloseable {
        URI uri();

        @Override
        void close() throws IOException;
    }

    Lease lease(Map<String, String> environment) throws IOException {
        return url != null ? new Borrowed(url) : new Owned(start(environment, Map.of()));
    }

    /**
     * Starts a node for the benchmark, with data that are deleted with it.
     *
     * @param config configuration that overrides the node's defaults
     */
    static NodeProcess start(Map<String, String> environment, Map<String, String> config) throws IOException {
        // The launcher passes the root as a system property.
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        String named = environment.getOrDefault("VIVARIUM_HOME", "");
        // On the disk that a user's node has its data on, which /tmp often is not.
        Path home = Files.createDirectories(named.isEmpty() ? root.resolve(".vivarium") : Path.of(named));
        Map<String, String> settings = new TreeMap<>(NOT_BOUND_BY_THE_MACHINE);
        settings.putAll(config);
        return NodeProcess.start(new NodeProcess.Start(
                List.of(root.resolve("vivarium").toString()),
                Files.createTempDirectory(home, "bench-"),
                NodeProcess.Afterwards.DELETE,
                DRAIN,
                settings));
    }

    private record Borrowed(URI uri) implements Lease {
        @Override
        public void close() {
            // It was running before.
        }
    }

    private record Owned(NodeProcess node) implements Lease {
        @Override
        public URI uri() {
            return node.uri();
        }

        @Override
        public void close() throws IOException {
            node.close();
        }
    }
}
