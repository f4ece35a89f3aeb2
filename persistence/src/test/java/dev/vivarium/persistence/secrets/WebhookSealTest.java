package dev.vivarium.persistence.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Tenant;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class WebhookSealTest {
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00Z");
    private static final Tenant BLUE = new Tenant("blue");
    private static final SecretSeal.Key MASTER = SecretSeal.Key.random();
    private final WebhookSeal seal = new WebhookSeal(List.of(MASTER));

    @Test
    void aSecretIsThatOfItsKeyAndTenantOnEveryNodeAndOfNothingElse() {
        WebhookKey key = seal.newKey(NOON);
        String secret = seal.secret(BLUE, key).orElseThrow().reveal();

        assertThat(secret).matches("whsec_[A-Za-z0-9+/]{43}=");
        assertThat(new WebhookSeal(List.of(MASTER))
                        .secret(BLUE, key)
                        .orElseThrow()
                        .reveal())
                .isEqualTo(secret);
        assertThat(seal.secret(new Tenant("red"), key).orElseThrow().reveal()).isNotEqualTo(secret);
        assertThat(seal.secret(BLUE, seal.newKey(NOON)).orElseThrow().reveal()).isNotEqualTo(secret);
        assertThat(seal.secret(BLUE, key).orElseThrow()).asString().doesNotContain(secret.substring(6));
    }

    @Test
    void aSecretSurvivesANewMasterKeyAsLongAsTheOldOneIsKept() {
        WebhookKey key = seal.newKey(NOON);
        SecretSeal.Key successor = SecretSeal.Key.random();

        assertThat(new WebhookSeal(List.of(successor, MASTER))
                        .secret(BLUE, key)
                        .orElseThrow()
                        .reveal())
                .isEqualTo(seal.secret(BLUE, key).orElseThrow().reveal());
        assertThat(new WebhookSeal(List.of(successor)).secret(BLUE, key)).isEmpty();
    }

    @Test
    void aSignatureIsTheHmacThatStandardWebhooksAsksFor() throws Exception {
        WebhookSeal.Secret secret = seal.secret(BLUE, seal.newKey(NOON)).orElseThrow();
        String message = "msg_1.1614265330.{\"test\": 2432232314}";

        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(
                Base64.getDecoder().decode(secret.reveal().substring("whsec_".length())), "HmacSHA256"));
        assertThat(secret.sign(message))
                .isEqualTo(Base64.getEncoder().encodeToString(mac.doFinal(message.getBytes(StandardCharsets.UTF_8))));
    }
}
