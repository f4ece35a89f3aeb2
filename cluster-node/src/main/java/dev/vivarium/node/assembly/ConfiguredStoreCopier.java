package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StoreCopier;
import dev.vivarium.persistence.postgres.PostgresBackup;
import dev.vivarium.persistence.store.Backup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Copies the store that a node with this configuration would open. */
public final class ConfiguredStoreCopier implements StoreCopier {
    @Override
    public String backup(Place place, Path file) throws NodeStartException {
        NodeConfig given = NodeConfig.of(place.config(), place.overrides());
        Backup backup = NodeStore.backup(given.store(), place.dataDir(), file);
        return "%s has %,d events (%,d rows, %,d bytes) of the installation %s, as they were at %s.%nThe keys are not in it, and whoever has both can read secrets: keep them in another place. They are %s."
                .formatted(
                        file,
                        backup.events(),
                        backup.rows(),
                        size(file),
                        backup.installation(),
                        backup.takenAt(),
                        keys(given, place.dataDir()));
    }

    @Override
    public String restore(Place place, Path file, Original original) throws NodeStartException {
        NodeConfig given = NodeConfig.of(place.config(), place.overrides());
        Backup backup = NodeStore.restore(
                given.store(),
                place.dataDir(),
                file,
                switch (original) {
                    case WENT_ON -> PostgresBackup.Original.WENT_ON;
                    case STOPPED -> PostgresBackup.Original.STOPPED;
                });
        return "Restored %,d events (%,d rows) of the installation %s, as they were at %s.%nBefore a node starts, put the keys back: %s. Runs that were live then are continued or lost, as after the loss of a node. No node may use the store that was backed up from now on.%s"
                .formatted(
                        backup.events(),
                        backup.rows(),
                        backup.installation(),
                        backup.takenAt(),
                        keys(given, place.dataDir()),
                        original == Original.STOPPED
                                ? ""
                                : System.lineSeparator()
                                        + "The log of all events is not signed until you declare another one (vivarium audit key FILE --new NAME): the old one may have gone further, and would tell two histories.");
    }

    private static String keys(NodeConfig given, Path dataDir) throws NodeStartException {
        Path folder = NodeStore.keys(given.store(), dataDir);
        return "%s and %s (secrets and tokens) and the key of the audit's log (%s)"
                .formatted(folder.resolve("master.key"), folder.resolve("keys"), LogGuard.file(given.all(), dataDir));
    }

    private static long size(Path file) throws NodeStartException {
        try {
            return Files.size(file);
        } catch (IOException gone) {
            throw new NodeStartException("The backup " + file + " cannot be read: " + gone.getMessage(), gone);
        }
    }
}
