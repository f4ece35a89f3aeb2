package dev.vivarium.node.doubles;

import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A vault that remembers which runs have a key and how often it was asked to seal. */
public final class InMemoryVault implements SecretVault {
    private final Set<RunId> keys = new HashSet<>();
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
        return CompletableFuture.completedStage(
                new SealedSecrets(secrets.keySet().stream().sorted().toList(), Blob.ofUtf8("sealed")));
    }

    @Override
    public CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed) {
        throw new UnsupportedOperationException("Only sandboxes open secrets.");
    }

    @Override
    public synchronized CompletionStage<Done> shred(RunId run) {
        keys.remove(run);
        return CompletableFuture.completedStage(Done.getInstance());
    }
}
