package dev.vivarium.node.joining;

import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.doubles.SharedStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A node that tries to join a single-node cluster on this machine. */
public final class Newcomer {
    private Newcomer() {}

    /**
     * Its options.
     *
     * @param seed the port of the node that it asks
     * @param changed settings that differ from the defaults
     */
    public static NodeOptions options(SharedStore store, int seed, Path data, Map<String, String> changed) {
        Map<String, String> all = new HashMap<>(store.settings());
        all.put("vivarium.cluster.formation", "seeds");
        all.put("vivarium.cluster.seeds.0", "127.0.0.1:" + seed);
        all.put("vivarium.cluster.node-name", "newcomer");
        all.put("vivarium.cluster.join-timeout", "30s");
        // ClusterTlsTest, WholeCluster and the local cluster have TLS; what it costs a start is spared here.
        all.put("vivarium.cluster.insecure-nodes-in-clear-text", "on");
        all.putAll(changed);
        return new NodeOptions(
                "127.0.0.1",
                0,
                data,
                data.resolve("token"),
                data.resolve("socket").resolve("api.sock"),
                Optional.empty(),
                all);
    }

    public static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }
}
