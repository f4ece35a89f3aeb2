package dev.vivarium.node.doubles;

import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A vault that keeps secrets in memory while their run has a key, and counts calls of {@link #seal}. */
public final class InMemoryVault implements SecretVault {
    private final Set<RunId> keys = new HashSet<>();
    private final Map<Blob, Map<String, String>> sealed = new HashMap<>();
    private int seals;

    public synchronized boolean holdsKeyOf(RunId run) {
        return keys.contains(run);
    }

    public synchronized int keys() {
        return keys.size();
    }

    public synchronized int seals() {
        return seals;
    }

    @Override
    public synchronized CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets) {
        seals++;
        keys.add(run);
        Blob ciphertext = Blob.ofUtf8("sealed " + seals);
        sealed.put(ciphertext, Map.copyOf(secrets));
        return CompletableFuture.completedStage(
                new SealedSecrets(secrets.keySet().stream().sorted().toList(), ciphertext));
    }

    @Override
    public synchronized CompletionStage<Map<String, String>> open(RunId run, SealedSecrets secrets) {
        return keys.contains(run)
                ? CompletableFuture.completedStage(sealed.get(secrets.ciphertext()))
                : CompletableFuture.failedStage(new KeyDestroyed(run));
    }

    @Override
    public synchronized CompletionStage<Done> shred(RunId run) {
        keys.remove(run);
        return CompletableFuture.completedStage(Done.getInstance());
    }
}
