package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A node's configuration in layers: the command line overrides the operator's file, which overrides the defaults.
 *
 * @param overrides keys from the command line
 * @param given the operator's file; empty when there is none
 */
public record NodeConfig(Config overrides, Config given) {
    /** Reads the operator's file; called before anything is started. */
    public static NodeConfig of(Optional<Path> file, Map<String, String> overrides) throws NodeStartException {
        try {
            NodeConfig config = new NodeConfig(
                    ConfigFactory.parseMap(overrides, "--set"),
                    file.map(path -> ConfigFactory.parseFile(path.toFile())).orElseGet(ConfigFactory::empty));
            requireKnown(config.overrides);
            requireKnown(config.given.resolveWith(config.all()));
            return config;
        } catch (ConfigException malformed) {
            throw unreadable(malformed);
        }
    }

    private static void requireKnown(Config set) throws NodeStartException {
        Optional<String> objection = ConfigKeys.objectionTo(set, ConfigFactory.defaultReference());
        if (objection.isPresent()) {
            throw new NodeStartException(objection.get());
        }
    }

    /** All layers, without the store's. */
    public Config all() throws NodeStartException {
        return with(ConfigFactory.empty());
    }

    public Config store() throws NodeStartException {
        return all().getConfig("vivarium.store");
    }

    /** All layers and one more, which overrides the operator's file. */
    Config with(Config layer) throws NodeStartException {
        try {
            return overrides
                    .withFallback(layer)
                    .withFallback(given)
                    .withFallback(ConfigFactory.defaultOverrides())
                    .withFallback(ConfigFactory.defaultApplication())
                    // Unresolved, so that references follow the layers above.
                    .withFallback(ConfigFactory.defaultReferenceUnresolved())
                    .resolve();
        } catch (ConfigException malformed) {
            throw unreadable(malformed);
        }
    }

    private static NodeStartException unreadable(ConfigException malformed) {
        return new NodeStartException("The configuration cannot be read: " + malformed.getMessage(), malformed);
    }
}
