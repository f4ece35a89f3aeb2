package dev.vivarium.loadtests;

import dev.vivarium.loadtests.history.ClusterSite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Where the benchmark's own cluster is. */
final class ClusterOptions {
    @Option(
            names = "--http-port",
            paramLabel = "PORT",
            defaultValue = "19080",
            description = "The port of the nodes' API, at 127.0.0.1, .2 and so on (default: ${DEFAULT-VALUE}).")
    private int httpPort = 19_080;

    @Option(
            names = "--port-base",
            paramLabel = "PORT",
            defaultValue = "27620",
            description = "The first of three ports for the cluster's own traffic (default: ${DEFAULT-VALUE}).")
    private int portBase = 27_620;

    /** Nodes keep their data in its folder, on the disk that users would use. */
    ClusterSite site(Setting setting) throws IOException {
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        String home = setting.environment().getOrDefault("VIVARIUM_HOME", "");
        Path state = home.isEmpty() ? root.resolve(".vivarium") : Path.of(home).toAbsolutePath();
        Files.createDirectories(state);
        return new ClusterSite(
                List.of(root.resolve("vivarium").toString()),
                setting.environment(),
                state,
                Files.createTempDirectory(state, "bench-cluster-"),
                httpPort,
                portBase);
    }
}
