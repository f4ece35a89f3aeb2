package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StorePreparer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Prepares the store that a node with this configuration would open, and the key of its log of events. */
public final class ConfiguredStorePreparer implements StorePreparer {
    @Override
    public String prepare(Optional<Path> config, Map<String, String> overrides) throws NodeStartException {
        NodeConfig given = NodeConfig.of(config, overrides);
        String prepared = NodeStore.prepare(given.store());
        return LogGuard.prepare(given.all()).map(key -> prepared + " " + key).orElse(prepared);
    }
}
