package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The contract of every vault. */
public abstract class SecretVaultContract {
    private static final Map<String, String> SECRETS =
            Map.of("B_KEY", "hush-hush", "A_KEY", "näher\n\u0000", "EMPTY", "");
    private static final AtomicInteger RUNS = new AtomicInteger(5_000);

    private final RunId run = Fixtures.run(RUNS.incrementAndGet());
    private final RunId other = Fixtures.run(RUNS.incrementAndGet());

    protected abstract SecretVault vault();

    /** The same vault as seen by another node, or by a later incarnation of this one. */
    protected abstract SecretVault elsewhere();

    @Test
    void secretsAreOpenedAgainAlsoElsewhere() {
        SealedSecrets sealed = join(vault().seal(run, SECRETS));

        assertThat(sealed.names()).containsExactly("A_KEY", "B_KEY", "EMPTY");
        assertThat(join(vault().open(run, sealed))).isEqualTo(SECRETS);
        assertThat(join(elsewhere().open(run, sealed))).isEqualTo(SECRETS);
    }

    @Test
    void sealingAgainLeavesWhatWasSealedBeforeReadable() {
        SealedSecrets first = join(vault().seal(run, SECRETS));
        SealedSecrets second = join(elsewhere().seal(run, SECRETS));

        assertThat(first).isNotEqualTo(second);
        assertThat(join(vault().open(run, first))).isEqualTo(join(vault().open(run, second)));
    }

    @Test
    void noSecretsNeedNoKey() {
        assertThat(join(vault().seal(run, Map.of()))).isEqualTo(SealedSecrets.NONE);
        assertThat(join(vault().open(run, SealedSecrets.NONE))).isEmpty();
    }

    @Test
    void secretsCannotBeOpenedAfterTheirKeyIsDestroyed() {
        SealedSecrets sealed = join(vault().seal(run, SECRETS));
        SealedSecrets others = join(vault().seal(other, SECRETS));

        join(vault().shred(run));
        join(vault().shred(run));

        for (SecretVault anywhere : List.of(vault(), elsewhere())) {
            assertThatThrownBy(() -> join(anywhere.open(run, sealed)))
                    .hasCauseInstanceOf(SecretVault.KeyDestroyed.class);
            assertThat(join(anywhere.open(other, others))).isEqualTo(SECRETS);
        }
    }

    @Test
    void secretsSealedForOneRunCannotBeOpenedForAnotherOrAfterAnEdit() {
        SealedSecrets sealed = join(vault().seal(run, SECRETS));
        join(vault().seal(other, SECRETS));

        assertDamaged(other, sealed);
        assertDamaged(run, new SealedSecrets(List.of("A_KEY", "B_KEY", "OTHER"), sealed.ciphertext()));
        byte[] edited = sealed.ciphertext().toByteArray();
        edited[edited.length - 1] ^= 1;
        assertDamaged(run, new SealedSecrets(sealed.names(), Blob.of(edited)));
        assertDamaged(run, new SealedSecrets(sealed.names(), Blob.EMPTY));
    }

    private void assertDamaged(RunId whose, SealedSecrets sealed) {
        assertThatThrownBy(() -> join(vault().open(whose, sealed)))
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("damaged")
                .hasMessageNotContaining("hush");
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
