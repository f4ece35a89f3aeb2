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
 * The master keys, which wrap the keys of runs' secrets; from a file that every node has a copy of and that is never in
 * the cluster: one per line, in Base64. The first one wraps; the others only unwrap, until no key is wrapped with them
 * any more.
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
     * @throws StoreUnavailable with a sentence for the operator when it is missing or invalid
     */
    static MasterKeys read(Path file) {
        try {
            if (!Files.exists(file)) {
                throw new StoreUnavailable("There is no master key " + file
                        + ": copy it from another node, or create it with `vivarium store prepare`.");
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

    /** Creates the file with a new key, exclusively: the first caller's key is everyone's. */
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

    /** The key that wraps. */
    SecretSeal.Key current() {
        return keys.get(0);
    }

    Optional<SecretSeal.Key> named(String name) {
        return keys.stream().filter(key -> key.name().equals(name)).findFirst();
    }
}
