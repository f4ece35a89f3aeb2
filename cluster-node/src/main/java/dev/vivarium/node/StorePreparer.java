package dev.vivarium.node;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Makes the schema of a store that several nodes share: an explicit step, which no node ever takes by itself. */
public interface StorePreparer {
    /**
     * Makes or updates the schema, or finds that there is nothing to do.
     *
     * @param config a configuration file that goes before the built-in one
     * @param overrides configuration that goes before all other, by its full key
     * @return what was done, as a sentence
     * @throws NodeStartException with a sentence when it cannot be done
     */
    String prepare(Optional<Path> config, Map<String, String> overrides) throws NodeStartException;
}
