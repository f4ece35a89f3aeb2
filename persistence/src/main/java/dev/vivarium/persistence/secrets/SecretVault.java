package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Encrypts the secrets of a run with a key of its own and destroys that key when the run ends, which makes everything
 * that was journaled unreadable for good.
 */
public interface SecretVault {
    /** Durably creates the run's key and seals the secrets with it. Without secrets, no key is created. */
    CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets);

    /** Opens sealed secrets; fails with {@link KeyDestroyed} when the key is gone. */
    CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed);

    /** Destroys the run's key, durably. Idempotent. */
    CompletionStage<Done> shred(RunId run);

    /** The run's key does not exist, or no longer. */
    final class KeyDestroyed extends RuntimeException {
        public KeyDestroyed(RunId run) {
            super("The key to the secrets of run " + run + " is destroyed.");
        }
    }
}
