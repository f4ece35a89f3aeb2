package dev.vivarium.persistence.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSecretVaultTest {
    private static final RunId RUN = Fixtures.run(1);
    private static final RunId OTHER = Fixtures.run(2);
    private static final Map<String, String> SECRETS =
            Map.of("B_KEY", "hush-hush", "A_KEY", "näher\n\u0000", "EMPTY", "");

    @TempDir
    Path directory;

    private FileSecretVault vault;

    @BeforeEach
    void open() {
        vault = FileSecretVault.in(directory, Runnable::run, Clock.systemUTC());
    }

    @Test
    void secretsAreOpenedAgainAlsoAfterARestart() {
        SealedSecrets sealed = seal(RUN);

        assertThat(sealed.names()).containsExactly("A_KEY", "B_KEY", "EMPTY");
        assertThat(open(vault, RUN, sealed)).isEqualTo(SECRETS);
        assertThat(open(FileSecretVault.in(directory, Runnable::run, Clock.systemUTC()), RUN, sealed))
                .isEqualTo(SECRETS);
    }

    @Test
    void sealingAgainLeavesWhatWasSealedBeforeReadable() {
        SealedSecrets first = seal(RUN);
        SealedSecrets second = seal(RUN);

        assertThat(first).isNotEqualTo(second);
        assertThat(open(vault, RUN, first)).isEqualTo(open(vault, RUN, second));
    }

    @Test
    void noSecretsNeedNoKey() {
        assertThat(join(vault.seal(RUN, Map.of()))).isEqualTo(SealedSecrets.NONE);
        assertThat(open(vault, RUN, SealedSecrets.NONE)).isEmpty();
        assertThat(vault.runsWithKeys()).isEmpty();
    }

    @Test
    void secretsCannotBeOpenedAfterTheirKeyIsDestroyed() {
        SealedSecrets sealed = seal(RUN);
        SealedSecrets others = seal(OTHER);

        join(vault.shred(RUN));
        join(vault.shred(RUN));

        assertThatThrownBy(() -> open(vault, RUN, sealed)).hasCauseInstanceOf(SecretVault.KeyDestroyed.class);
        assertThat(directory.resolve("keys/" + RUN)).doesNotExist();
        assertThat(open(vault, OTHER, others)).isEqualTo(SECRETS);
        assertThat(vault.runsWithKeys()).containsExactly(OTHER);
    }

    @Test
    void aKeyIsOverwrittenBeforeItsFileIsDeleted() throws IOException {
        seal(RUN);
        Path kept = Files.createLink(directory.resolve("kept"), directory.resolve("keys/" + RUN));
        byte[] wrapped = Files.readAllBytes(kept);

        join(vault.shred(RUN));

        assertThat(wrapped).isNotEqualTo(new byte[wrapped.length]);
        assertThat(kept).hasBinaryContent(new byte[wrapped.length]);
    }

    @Test
    void aKeyPartlyWrittenBeforeACrashIsGoneAfterTheNextStart() throws IOException {
        Path draft = Files.write(directory.resolve("keys/" + RUN + ".new"), new byte[] {1, 2, 3});
        Path kept = Files.createLink(directory.resolve("kept"), draft);

        FileSecretVault.in(directory, Runnable::run, Clock.systemUTC());

        assertThat(draft).doesNotExist();
        assertThat(kept).hasBinaryContent(new byte[3]);
    }

    @Test
    void sealedSecretsAreBoundToTheirRunAndTheirName() throws IOException {
        SealedSecrets sealed = seal(RUN);
        seal(OTHER);
        // even with the other run's key file in place
        Files.copy(
                directory.resolve("keys/" + RUN),
                directory.resolve("keys/" + OTHER),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);

        assertRefused(() -> open(vault, OTHER, sealed));
        assertRefused(
                () -> open(vault, RUN, new SealedSecrets(List.of("B_KEY", "A_KEY", "EMPTY"), sealed.ciphertext())));
    }

    @Test
    void everyChangedByteIsNoticed() {
        SealedSecrets sealed = seal(RUN);
        byte[] ciphertext = sealed.ciphertext().toByteArray();
        for (int i = 0; i < ciphertext.length; i++) {
            byte[] changed = ciphertext.clone();
            changed[i] ^= 1;
            assertRefused(() -> open(vault, RUN, new SealedSecrets(sealed.names(), Blob.of(changed))));
        }
    }

    @Test
    void keysAreReadableByTheirOwnerOnly() throws IOException {
        seal(RUN);

        assertThat(Files.getPosixFilePermissions(directory.resolve("keys")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        for (String file : new String[] {"master.key", "keys/" + RUN}) {
            assertThat(Files.getPosixFilePermissions(directory.resolve(file)))
                    .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        }
    }

    @Test
    void noValueIsInAnyFileOrMessage() throws IOException {
        SealedSecrets sealed = seal(RUN);

        try (var files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain("hush");
            }
        }
        assertThat(sealed.toString()).doesNotContain("hush");
        assertThat(new String(sealed.ciphertext().toByteArray(), StandardCharsets.ISO_8859_1))
                .doesNotContain("hush");
        StringWriter trace = new StringWriter();
        try {
            open(vault, OTHER, sealed);
        } catch (CompletionException refused) {
            refused.printStackTrace(new PrintWriter(trace, true));
        }
        assertThat(trace.toString()).contains("KeyDestroyed").doesNotContain("hush");
    }

    @Test
    void aLostMasterKeyIsNotReplacedSilently() throws IOException {
        seal(RUN);
        Files.delete(directory.resolve("master.key"));

        assertThatThrownBy(() -> FileSecretVault.in(directory, Runnable::run, Clock.systemUTC()))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("master.key");
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable opening) {
        assertThatThrownBy(opening).hasCauseInstanceOf(StoreUnavailable.class).hasMessageContaining("damaged");
    }

    private SealedSecrets seal(RunId run) {
        return join(vault.seal(run, SECRETS));
    }

    private static Map<String, String> open(FileSecretVault vault, RunId run, SealedSecrets sealed) {
        return join(vault.open(run, sealed));
    }

    private static <T> T join(java.util.concurrent.CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
