package dev.vivarium.persistence.secrets;

import dev.vivarium.persistence.contract.SecretVaultContract;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Several nodes with a shared folder of keys. */
class SharedFolderVaultTest extends SecretVaultContract {
    @TempDir
    Path directory;

    @BeforeEach
    void prepare() {
        FileSecretVault.prepare(directory);
    }

    @Override
    protected SecretVault vault() {
        return FileSecretVault.shared(directory, Runnable::run, Clock.systemUTC());
    }

    @Override
    protected SecretVault elsewhere() {
        return FileSecretVault.shared(directory, Runnable::run, Clock.systemUTC());
    }
}
