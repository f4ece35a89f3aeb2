package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.follow.RunKeys;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Iterator;

/** The keys in the file vault's directory. */
final class FileKeys implements RunKeys {
    private final FileSecretVault vault;

    FileKeys(FileSecretVault vault) {
        this.vault = vault;
    }

    @Override
    public Iterator<RunId> runs() {
        return vault.runsWithKeys().iterator();
    }

    @Override
    public void shred(RunId run) {
        vault.shredNow(run);
    }

    @Override
    public void shredUnlessSealedSince(RunId run, Instant since) {
        vault.shredUnlessSealedSince(run, since);
    }

    /** The directory's master key never changes. */
    @Override
    public void renew(RunId run) {}
}
