package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.persistence.store.TokenStore.ListedToken;
import dev.vivarium.persistence.store.TokenStore.StoredToken;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's tokens. */
public abstract class TokenStoreContract {
    private static final Instant NOON = Instant.parse("2026-12-01T12:00:00.123Z");
    private static final int AT_ONCE = 8;

    protected abstract TokenStore tokens();

    /** The same tokens as seen by another node. */
    protected abstract TokenStore elsewhere();

    /** The seal of the installation, which every node of it has. */
    protected abstract TokenSeal seal();

    protected abstract TokenSeal sealElsewhere();

    @Test
    void aTokenIsFoundOnEveryNodeWithAllThatItGrants() {
        TokenSeal.Minted token = seal().mint(TokenSeal.Form.VIV);
        TokenGrant grant = new TokenGrant(
                "ci",
                new Tenant("Forschung \uD83D\uDE00"),
                Role.SUBMITTER,
                new Scope(
                        Map.of("team", "\u0000 a"),
                        Optional.of("vivarium/python"),
                        Limits.NONE.with(Limit.MEMORY, "256Mi")),
                Principal.LOCAL_OPERATOR,
                NOON,
                NOON.plus(Duration.ofDays(90)));

        join(tokens().add(token.recognized().id(), token.recognized().verifier(), grant));

        StoredToken found = join(elsewhere()
                        .find(sealElsewhere()
                                .recognize(token.text())
                                .orElseThrow()
                                .id()))
                .orElseThrow();
        assertThat(found.grant()).isEqualTo(grant);
        assertThat(found.revokedAt()).isEmpty();
        assertThat(found.end()).isEqualTo(grant.expiresAt());
        assertThat(sealElsewhere().recognize(token.text()).orElseThrow().matches(found.verifier()))
                .isTrue();
        assertThat(token.text()).doesNotContain(found.verifier().toHex());
    }

    @Test
    void thereIsNoTokenThatWasNeverStoredOrIsRemoved() {
        TokenId stored = stored();

        join(elsewhere().remove(stored));
        join(elsewhere().remove(stored));

        assertThat(join(tokens().find(stored))).isEmpty();
        assertThat(listed(stored)).isEmpty();
        assertThat(join(tokens().revoke(stored, NOON))).isEmpty();
        assertThat(join(tokens().find(stored))).isEmpty();
    }

    @Test
    void anIdIsTakenOnce() {
        TokenId stored = stored();

        assertThatThrownBy(() -> join(elsewhere()
                        .add(
                                stored,
                                seal().mint(TokenSeal.Form.VIV).recognized().verifier(),
                                grant())))
                .hasMessageContaining("token");
    }

    @Test
    void theEarliestRevocationStays() {
        TokenId stored = stored();
        assertThat(join(tokens().revoke(stored, NOON.plusSeconds(60)))
                        .orElseThrow()
                        .end())
                .isEqualTo(NOON.plusSeconds(60));

        List<CompletableFuture<Optional<StoredToken>>> atOnce = IntStream.range(0, AT_ONCE)
                .mapToObj(n -> (n % 2 == 0 ? tokens() : elsewhere())
                        .revoke(stored, NOON.plusSeconds(10 + n))
                        .toCompletableFuture())
                .toList();
        atOnce.forEach(CompletableFuture::join);

        assertThat(join(elsewhere().find(stored)).orElseThrow().revokedAt()).contains(NOON.plusSeconds(10));
    }

    @Test
    void theLatestUseIsListed() {
        TokenId stored = stored();
        assertThat(listed(stored).orElseThrow().usedAt()).isEmpty();

        join(tokens().use(stored, NOON.plusSeconds(5)));
        join(elsewhere().use(stored, NOON));

        assertThat(listed(stored).orElseThrow().usedAt()).contains(NOON.plusSeconds(5));
    }

    private TokenId stored() {
        TokenSeal.Minted token = seal().mint(TokenSeal.Form.E2B);
        join(tokens().add(token.recognized().id(), token.recognized().verifier(), grant()));
        return token.recognized().id();
    }

    private static TokenGrant grant() {
        return new TokenGrant(
                "a.b-c_1",
                Tenant.DEFAULT,
                Role.VIEWER,
                Scope.NONE,
                Principal.LOCAL_OPERATOR,
                NOON,
                NOON.plus(Duration.ofDays(1)));
    }

    private Optional<ListedToken> listed(TokenId id) {
        return join(elsewhere().list()).stream()
                .filter(listed -> listed.token().id().equals(id))
                .findFirst();
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
