package dev.vivarium.protocol.run;

import java.util.List;

/**
 * The secrets of a run, encrypted with a key of that run, which is destroyed when the run ends. Only the names are
 * readable: those of the environment variables that the agent gets.
 *
 * @param names the names, sorted
 * @param ciphertext the encrypted values; empty when there are no names
 */
public record SealedSecrets(List<String> names, Blob ciphertext) {
    public static final SealedSecrets NONE = new SealedSecrets(List.of(), Blob.EMPTY);

    public SealedSecrets {
        names = List.copyOf(names);
    }
}
