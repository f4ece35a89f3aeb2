package dev.vivarium.node;

import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Verifies the log of all events straight from a store, without a node; it writes nothing. */
public interface StoreVerifier {
    /**
     * Verifies; blocks.
     *
     * @param config a configuration file that goes before the built-in one
     * @param overrides configuration that goes before all other, by its full key
     * @param dataDir the data directory of a node with an embedded store, which must not run
     * @param run the run; empty for all events of all runs
     * @param keys the log's verifier keys
     * @return the outcome; empty when no checkpoint was ever signed
     * @throws NodeStartException with a sentence when the store cannot be read
     */
    Optional<Verify.Report> verify(
            Optional<Path> config,
            Map<String, String> overrides,
            Path dataDir,
            Optional<RunId> run,
            List<Verify.Key> keys)
            throws NodeStartException;
}
