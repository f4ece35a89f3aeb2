package dev.vivarium.loadtests;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private final DriverOption driver = new DriverOption();

    /** A node that is available while this is open. */
    interface Lease extends AutoCloseable {
        URI uri();

        /** The node's process, if the node was started here. */
        OptionalLong pid();

        @Override
        void close() throws IOException;
    }

    Lease lease(Setting setting) throws IOException {
        return lease(setting, Map.of());
    }

    /** @param config configuration of a node that is started */
    Lease lease(Setting setting, Map<String, String> config) throws IOException {
        if (url == null) {
            Map<String, String> settings = new TreeMap<>(driver.settings());
            settings.putAll(config);
            return new Owned(start(setting, settings));
        }
        if (driver.chosen().isPresent()) {
            throw setting.refusal("--driver is for a node that is started; the one of --url has its driver.");
        }
        setting.print("driver   that of the node at " + url + "\n");
        return new Borrowed(url);
    }

    /**
     * Starts a node for the benchmark, with data that are deleted with it.
     *
     * @param config configuration that overrides the node's defaults
     */
    static NodeProcess start(Setting setting, Map<String, String> config) throws IOException {
        NodeProcess node = process(setting, config);
        try {
            setting.driver(Driver.of(node.pid()));
            return node;
        } catch (IOException different) {
            node.close();
            throw different;
        }
    }

    /** The same for a node whose configuration says that it starts nothing. */
    static NodeProcess startIdle(Setting setting, Map<String, String> config) throws IOException {
        return process(setting, config);
    }

    private static NodeProcess process(Setting setting, Map<String, String> config) throws IOException {
        // The launcher passes the root as a system property.
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        String named = setting.environment().getOrDefault("VIVARIUM_HOME", "");
        // On the disk that a user's node has its data on, which /tmp often is not.
        Path home = Files.createDirectories(named.isEmpty() ? root.resolve(".vivarium") : Path.of(named))
                .toAbsolutePath();
        Map<String, String> settings = new TreeMap<>(NOT_BOUND_BY_THE_MACHINE);
        settings.putAll(config);
        return NodeProcess.start(new NodeProcess.Start(
                List.of(root.resolve("vivarium").toString()),
                home,
                Files.createTempDirectory(home, "bench-"),
                NodeProcess.Afterwards.DELETE,
                DRAIN,
                settings));
    }

    private record Borrowed(URI uri) implements Lease {
        @Override
        public OptionalLong pid() {
            return OptionalLong.empty();
        }

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
        public OptionalLong pid() {
            return OptionalLong.of(node.pid());
        }

        @Override
        public void close() throws IOException {
            node.close();
        }
    }
}
