package dev.vivarium.loadtests;

import dev.vivarium.loadtests.subject.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which node is measured: one of the benchmark's own, or one that runs already. */
final class NodeOption {
    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "A node that runs already (default: one is started for the benchmark, and stopped).")
    private @Nullable URI url;

    /** A node that is there as long as this is open. */
    interface Lease extends AutoCloseable {
        URI uri();

        @Override
        void close() throws IOException;
    }

    Lease lease(Map<String, String> environment) throws IOException {
        return url != null ? new Borrowed(url) : new Owned(start(environment, Map.of()));
    }

    /**
     * Starts a node of the benchmark's own.
     *
     * @param config keys of the node's configuration that are to differ from its defaults
     */
    static NodeProcess start(Map<String, String> environment, Map<String, String> config) throws IOException {
        // The launcher names the root as a system property.
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        String home = environment.getOrDefault("VIVARIUM_HOME", "");
        return NodeProcess.start(root, home.isEmpty() ? root.resolve(".vivarium") : Path.of(home), config);
    }

    private record Borrowed(URI uri) implements Lease {
        @Override
        public void close() {
            // It was there before.
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
