package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.SecretSeal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * The keys to the keys of secrets, from a file that every node has a copy of and that is never in the cluster: one in
 * Base64 a line. The first one seals; the others only open, until nothing is sealed with them any more.
 *
 * @param keys at least one
 */
record MasterKeys(List<SecretSeal.Key> keys) {
    private static final int FILE_BYTES_MAX = 4096;

    MasterKeys {
        keys = List.copyOf(keys);
    }

    /**
     * Reads the file.
     *
     * @throws StoreUnavailable with a sentence for the operator when it is missing or makes no sense
     */
    static MasterKeys read(Path file) {
        try {
            if (!Files.exists(file)) {
                throw new StoreUnavailable("There is no master key " + file
                        + ": copy the one of the other nodes there. A new one is made by `vivarium store prepare`.");
            }
            String text = new String(DurableFiles.read(file, FILE_BYTES_MAX), StandardCharsets.US_ASCII);
            List<SecretSeal.Key> keys = new ArrayList<>();
            text.lines()
                    .filter(line -> !line.isBlank())
                    .forEach(line ->
                            keys.add(SecretSeal.Key.of(Base64.getDecoder().decode(line.strip()))));
            if (keys.isEmpty()) {
                throw new StoreUnavailable("The master key " + file + " is empty.");
            }
            return new MasterKeys(keys);
        } catch (IOException | IllegalArgumentException failed) {
            throw new StoreUnavailable("The master key " + file + " cannot be read: " + failed.getMessage(), failed);
        }
    }

    /** Makes the file with one new key; whoever asks first makes it for all. */
    static MasterKeys make(Path file) {
        try {
            String key =
                    Base64.getEncoder().encodeToString(SecretSeal.Key.random().bytes());
            DurableFiles.create(file, (key + "\n").getBytes(StandardCharsets.US_ASCII), DurableFiles.OWNER_ONLY);
            return read(file);
        } catch (IOException failed) {
            throw new StoreUnavailable("The master key " + file + " cannot be made: " + failed, failed);
        }
    }

    /** The one that seals. */
    SecretSeal.Key current() {
        return keys.get(0);
    }

    Optional<SecretSeal.Key> named(String name) {
        return keys.stream().filter(key -> key.name().equals(name)).findFirst();
    }
}
