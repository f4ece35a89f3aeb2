package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Tenant;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secrets that sign webhooks. A secret is not stored: it is HMAC-SHA256 of its tenant and of its key's id, under a key
 * derived from one of the installation's master keys, so who reads the store can sign nothing. Shown as Standard Webhooks
 * writes it: {@code whsec_} and Base64. Thread-safe.
 */
public final class WebhookSeal {
    private static final String MAC = "HmacSHA256";
    private static final String PREFIX = "whsec_";
    private static final byte[] PURPOSE = "vivarium.webhook:1".getBytes(StandardCharsets.US_ASCII);
    private static final int ID_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final List<SecretSeal.Key> masters;

    /** @param masters the master keys; new secrets belong to the first, and those of all can be had */
    public WebhookSeal(List<SecretSeal.Key> masters) {
        this.masters = List.copyOf(masters);
    }

    /** A secret of 32 bytes. Never printed by accident. */
    public static final class Secret {
        private final byte[] bytes;

        private Secret(byte[] bytes) {
            this.bytes = bytes;
        }

        /** The form in which it is shown once. */
        public String reveal() {
            return PREFIX + Base64.getEncoder().encodeToString(bytes);
        }

        /** The signature of a message: HMAC-SHA256 in Base64. */
        public String sign(String message) {
            return Base64.getEncoder().encodeToString(mac(bytes, message.getBytes(StandardCharsets.UTF_8)));
        }

        @Override
        public String toString() {
            return "a secret";
        }
    }

    /** A new key of the first master key's. */
    public WebhookKey newKey(Instant now) {
        byte[] id = new byte[ID_BYTES];
        RANDOM.nextBytes(id);
        return new WebhookKey(HexFormat.of().formatHex(id), masters.get(0).name(), now, Optional.empty());
    }

    /** A key's secret; empty when this node does not have its master key, or no longer. */
    public Optional<Secret> secret(Tenant tenant, WebhookKey key) {
        return masters.stream()
                .filter(master -> master.name().equals(key.master()))
                .findFirst()
                .map(master -> new Secret(mac(mac(master.bytes(), PURPOSE), context(tenant, key))));
    }

    /** The id has a fixed length, so that no two pairs give the same bytes. */
    private static byte[] context(Tenant tenant, WebhookKey key) {
        if (key.id().length() != 2 * ID_BYTES) {
            throw new IllegalArgumentException("The id of a key has " + 2 * ID_BYTES + " digits.");
        }
        return (key.id() + ":" + tenant.name()).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] mac(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(new SecretKeySpec(key, MAC));
            return mac.doFinal(message);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("Every Java platform has " + MAC + ".", missing);
        }
    }
}
