package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.NamedSecretSeal;
import dev.vivarium.persistence.secrets.NamedSecretTable;
import dev.vivarium.persistence.secrets.NamedSecretTable.Listed;
import dev.vivarium.persistence.secrets.NamedSecretTable.SealedSecret;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.NamedSecrets.NoSuchSecret;
import dev.vivarium.persistence.secrets.NamedSecrets.Putting;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's secrets of tenants. */
public abstract class NamedSecretsContract {
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00.123Z");
    private static final Principal BY = new Principal(Principal.Kind.TOKEN, "ci");
    private static final SecretName TOKEN = new SecretName("git-token");
    private static final SecretName KEY = new SecretName("key");
    private static final int AT_ONCE = 8;

    private final SecretSeal.Key master = SecretSeal.Key.random();
    /** Others' tests may have left theirs. */
    private final Tenant tenant = new Tenant("t-" + UUID.randomUUID());

    private final Tenant other = new Tenant("t-" + UUID.randomUUID());

    protected abstract NamedSecretTable table();

    private NamedSecrets secrets() {
        return secrets(master);
    }

    private NamedSecrets secrets(SecretSeal.Key... masters) {
        return new NamedSecrets(table(), NamedSecretSeal.of(List.of(masters)), Clock.fixed(NOON, ZoneOffset.UTC));
    }

    @Test
    void aSecretIsGivenToItsTenantsRunsOnEveryNode() {
        String value = "hush \u00fc\n\ud83d\ude00";
        Putting put = join(secrets().put(tenant, TOKEN, 1, value, BY));

        Listed listed = new Listed(tenant, TOKEN, 1, BY, NOON, Optional.empty());
        assertThat(put).isEqualTo(new Putting.Done(listed));
        assertThat(join(secrets().list(tenant))).containsExactly(listed);
        NamedSecrets.Opened opened = join(secrets().open(tenant, Map.of("A", TOKEN, "B", TOKEN)));
        assertThat(opened.values()).isEqualTo(Map.of("A", value, "B", value));
        assertThat(opened.versions()).containsExactly(new SecretVersion(TOKEN, 1));
        assertThat(opened).asString().doesNotContain("hush");
        // A use is noted beside the opening, which does not wait for it.
        await().untilAsserted(() -> assertThat(join(secrets().list(tenant)))
                .containsExactly(new Listed(tenant, TOKEN, 1, BY, NOON, Optional.of(NOON))));
    }

    @Test
    void aForeignSecretIsNoSecret() {
        put(tenant, TOKEN, 1, "hush");

        assertThat(join(secrets().list(other))).isEmpty();
        assertThat(join(secrets().missing(other, Set.of(TOKEN)))).containsExactly(TOKEN);
        assertThat(join(secrets().missing(tenant, Set.of(TOKEN, KEY)))).containsExactly(KEY);
        assertThat(join(secrets().remove(other, TOKEN))).isFalse();
        assertThatThrownBy(() -> join(secrets().open(other, Map.of("A", TOKEN))))
                .hasCauseInstanceOf(NoSuchSecret.class);
        assertThat(open(TOKEN)).isEqualTo("hush");
    }

    @Test
    void aNewValueReplacesTheOneThatItHasSeenAndNothingIsKeptOfThat() {
        put(tenant, TOKEN, 1, "first");

        assertThat(join(secrets().put(tenant, TOKEN, 1, "again", BY))).isEqualTo(new Putting.ChangedMeanwhile());
        assertThat(join(secrets().put(tenant, TOKEN, 3, "early", BY))).isEqualTo(new Putting.ChangedMeanwhile());
        Blob before = join(table().find(tenant, TOKEN)).orElseThrow().sealed().bytes();
        put(tenant, TOKEN, 2, "second");

        assertThat(open(TOKEN)).isEqualTo("second");
        SealedSecret row = join(table().find(tenant, TOKEN)).orElseThrow();
        assertThat(row.version()).isEqualTo(2);
        assertThat(row.sealed().bytes()).isNotEqualTo(before);
    }

    @Test
    void ofPutsAtOnceOneIsMade() {
        put(tenant, TOKEN, 1, "0");

        List<CompletableFuture<Putting>> atOnce = IntStream.range(0, AT_ONCE)
                .mapToObj(n -> secrets().put(tenant, TOKEN, 2, "n" + n, BY).toCompletableFuture())
                .toList();

        assertThat(atOnce.stream().map(CompletableFuture::join).filter(Putting.Done.class::isInstance))
                .hasSize(1);
    }

    @Test
    void aRemovedSecretIsGoneAndItsNameBeginsAgain() {
        put(tenant, TOKEN, 1, "old");
        put(tenant, TOKEN, 2, "older");

        assertThat(join(secrets().remove(tenant, TOKEN))).isTrue();

        assertThat(join(secrets().remove(tenant, TOKEN))).isFalse();
        assertThat(join(secrets().list(tenant))).isEmpty();
        assertThatThrownBy(() -> join(secrets().open(tenant, Map.of("A", TOKEN))))
                .hasCauseInstanceOf(NoSuchSecret.class);
        put(tenant, TOKEN, 1, "new");
        assertThat(open(TOKEN)).isEqualTo("new");
    }

    @Test
    void whatIsStoredIsNotTheValue() {
        put(tenant, TOKEN, 1, "a value that is easy to find");

        byte[] stored =
                join(table().find(tenant, TOKEN)).orElseThrow().sealed().bytes().toByteArray();

        assertThat(new String(stored, StandardCharsets.ISO_8859_1)).doesNotContain("easy to find");
    }

    @Test
    void aSealedValueThatIsMovedOrChangedDoesNotOpen() {
        put(tenant, TOKEN, 1, "hush");
        put(tenant, KEY, 1, "mine");
        put(other, TOKEN, 1, "theirs");
        SealedSecret ours = join(table().find(tenant, TOKEN)).orElseThrow();
        byte[] changed = ours.sealed().bytes().toByteArray();
        changed[changed.length - 1] ^= 1;

        join(table().put(new SealedSecret(tenant, KEY, 2, ours.sealed(), BY, NOON)));
        join(table().put(new SealedSecret(other, TOKEN, 2, ours.sealed(), BY, NOON)));
        join(table().put(new SealedSecret(
                tenant, TOKEN, 2, new NamedSecretSeal.Sealed(ours.sealed().master(), Blob.of(changed)), BY, NOON)));

        for (SecretName name : List.of(KEY, TOKEN)) {
            assertDamaged(tenant, name);
        }
        assertDamaged(other, TOKEN);
        join(table().put(new SealedSecret(tenant, TOKEN, 3, ours.sealed(), BY, NOON)));
        assertDamaged(tenant, TOKEN);
    }

    private void assertDamaged(Tenant whose, SecretName name) {
        assertThatThrownBy(() -> join(secrets().open(whose, Map.of("A", name))))
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("damaged, or belongs elsewhere")
                .hasMessageNotContaining("hush");
    }

    @Test
    void aNodeWithoutTheMasterKeySaysSo() {
        put(tenant, TOKEN, 1, "hush");

        assertThatThrownBy(() -> join(secrets(SecretSeal.Key.random()).open(tenant, Map.of("A", TOKEN))))
                .hasCauseInstanceOf(StoreUnavailable.class)
                .hasMessageContaining(master.name())
                .hasMessageContaining("compare the nodes' files");
    }

    @Test
    void afterAChangeOfTheMasterKeyTheOldOneIsNotNeededAnyMore() {
        put(tenant, TOKEN, 1, "hush");
        SecretSeal.Key fresh = SecretSeal.Key.random();
        // Secrets of other tests, whose master keys nobody has any more, are not in the way.
        NamedSecretTable ours = new TableOfOneTenant(table(), tenant);
        NamedSecrets both =
                new NamedSecrets(ours, NamedSecretSeal.of(List.of(fresh, master)), Clock.fixed(NOON, ZoneOffset.UTC));
        assertThat(join(both.open(tenant, Map.of("A", TOKEN))).values()).containsEntry("A", "hush");

        assertThat(join(both.reseal())).isEqualTo(1);

        assertThat(join(both.reseal())).isZero();
        assertThat(join(secrets(fresh).open(tenant, Map.of("A", TOKEN))).values())
                .containsEntry("A", "hush");
        SealedSecret row = join(table().find(tenant, TOKEN)).orElseThrow();
        assertThat(row.version()).isEqualTo(1);
        assertThat(row.sealed().master()).isEqualTo(fresh.name());
    }

    private void put(Tenant whose, SecretName name, long version, String value) {
        assertThat(join(secrets().put(whose, name, version, value, BY))).isInstanceOf(Putting.Done.class);
    }

    private String open(SecretName name) {
        return join(secrets().open(tenant, Map.of("A", name))).values().get("A");
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
