package dev.vivarium.node.assembly;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.audit.SeenCheckpointFile;
import dev.vivarium.persistence.audit.tlog.CheckpointGuard;
import dev.vivarium.persistence.secrets.LogKeyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The keys of the log of all events, as configured by {@code vivarium.audit.log}. */
final class LogGuard {
    private static final Logger LOG = LoggerFactory.getLogger(LogGuard.class);
    /** Beside the store of a node that has its own, and not in it. */
    private static final String OWN_KEY = "audit-log.key";

    private static final String SEEN = "audit-checkpoint";

    private LogGuard() {}

    /**
     * Creates the key that the configuration names, unless it is there: once for all nodes, when their store is prepared.
     *
     * @return what was done, as a sentence; empty when there was nothing to do
     */
    static Optional<String> prepare(Config config) throws NodeStartException {
        String configured = config.getString("vivarium.audit.log.key-file");
        if (configured.isEmpty() || Files.exists(Path.of(configured))) {
            return Optional.empty();
        }
        try {
            LogKeyFile.create(
                    Path.of(configured), "vivarium/" + UlidCreator.getUlid().toLowerCase());
        } catch (IOException failed) {
            throw new NodeStartException(
                    "The key of the audit's log, " + configured + ", cannot be created: " + failed.getMessage(),
                    failed);
        }
        return Optional.of("The key of the audit's log is new, at " + configured
                + ": all nodes need it, and backups of the store must not have it.");
    }

    /**
     * Reads the keys; a node with a store of its own creates one at its first start.
     *
     * @param config the whole configuration
     */
    static CheckpointGuard of(Config config, Path dataDir, String installation) throws NodeStartException {
        String configured = config.getString("vivarium.audit.log.key-file");
        boolean own = config.getString("vivarium.store.kind").equals("embedded");
        if (configured.isEmpty() && !own) {
            LOG.warn(
                    "vivarium.audit.log.key-file names no key, so no checkpoint of the audit's log is signed on this node.");
            return CheckpointGuard.WITHOUT_KEYS;
        }
        Path file = file(config, dataDir);
        try {
            if (configured.isEmpty() && !Files.exists(file)) {
                LogKeyFile.create(file, "vivarium/" + installation);
            }
            return new CheckpointGuard(
                    Optional.of(LogKeyFile.read(file)), new SeenCheckpointFile(dataDir.resolve(SEEN)));
        } catch (IOException failed) {
            throw new NodeStartException(
                    Files.exists(file)
                            ? String.valueOf(failed.getMessage())
                            : "There is no key of the audit's log at " + file
                                    + ": copy the one of the other nodes, or create it with `vivarium audit key " + file
                                    + " --new NAME`.",
                    failed);
        }
    }

    /** The file of the keys, whether it is there or not. */
    static Path file(Config config, Path dataDir) {
        String configured = config.getString("vivarium.audit.log.key-file");
        return configured.isEmpty() ? dataDir.resolve(OWN_KEY) : Path.of(configured);
    }
}
