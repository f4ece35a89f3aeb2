package dev.vivarium.node;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Copies what a store's tables hold into a file, and makes a store from such a file. */
public interface StoreCopier {
    /**
     * Where the store is.
     *
     * @param config a configuration file that goes before the built-in one
     * @param overrides configuration that goes before all other, by its full key
     * @param dataDir the data directory of a node with an embedded store
     */
    record Place(Optional<Path> config, Map<String, String> overrides, Path dataDir) {}

    /** Whether the store that was backed up went on after the backup. */
    enum Original {
        /** It may have: the log is not signed until an operator declares a new one. */
        WENT_ON,
        /** It did not. */
        STOPPED
    }

    /**
     * Copies the tables as they are at one moment; nodes may use them meanwhile. Blocks.
     *
     * @param file a new file
     * @return what was done, as sentences
     * @throws NodeStartException with a sentence when it cannot be done
     */
    String backup(Place place, Path file) throws NodeStartException;

    /**
     * Makes a store from a backup where there is none; blocks.
     *
     * @param original whether the log goes on under its name
     * @return what was done and what is left to do, as sentences
     * @throws NodeStartException with a sentence when it cannot be done; there is no store then
     */
    String restore(Place place, Path file, Original original) throws NodeStartException;
}
