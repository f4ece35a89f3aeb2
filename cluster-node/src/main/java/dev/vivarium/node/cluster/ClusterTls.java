package dev.vivarium.node.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Mutual TLS between nodes, by the block {@code vivarium.cluster.tls}; files that are replaced are read anew. */
final class ClusterTls {
    private static final String BLOCK = "vivarium.cluster.tls";
    private static final String ENGINE = "pekko.remote.artery.ssl.rotating-keys-engine";

    private ClusterTls() {}

    /** The layer of configuration that switches it on; an empty one where it is off. */
    static Config layer(Config config) throws NodeStartException {
        Config tls = config.getConfig(BLOCK);
        if (!tls.getBoolean("enabled")) {
            return ConfigFactory.empty();
        }
        Map<String, Object> layer = new HashMap<>();
        layer.put("pekko.remote.artery.transport", "tls-tcp");
        layer.put(
                "pekko.remote.artery.ssl.ssl-engine-provider",
                "org.apache.pekko.remote.artery.tcp.ssl.RotatingKeysSSLEngineProvider");
        layer.put(ENGINE + ".key-file", file(tls, "key"));
        layer.put(ENGINE + ".cert-file", file(tls, "certificate"));
        layer.put(ENGINE + ".ca-cert-file", file(tls, "authority"));
        return ConfigFactory.parseMap(layer, BLOCK);
    }

    private static String file(Config tls, String key) throws NodeStartException {
        String file = tls.getString(key);
        if (file.isEmpty() || !Files.isReadable(Path.of(file))) {
            throw new NodeStartException(
                    BLOCK + "." + key + " is \"" + file + "\", and must be a PEM file that can be read.");
        }
        return file;
    }
}
