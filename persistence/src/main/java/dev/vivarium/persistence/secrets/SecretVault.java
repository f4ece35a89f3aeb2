package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Encrypts the secrets of a run with a key of its own and destroys that key when the run ends, so that whatever was
 * journaled can never be read again, by anybody.
 */
public interface SecretVault {
    /** Makes the run's key, durably, and seals the secrets with it. No key is made for no secrets. */
    CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets);

    /** Opens what was sealed; fails with {@link KeyDestroyed} when the key is gone. */
    CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed);

    /** Destroys the run's key, durably. Idempotent. */
    CompletionStage<Done> shred(RunId run);

    /** The run's key does not exist (any more). */
    final class KeyDestroyed extends RuntimeException {
        public KeyDestroyed(RunId run) {
            super("The key to the secrets of run " + run + " is destroyed.");
        }
    }
}
