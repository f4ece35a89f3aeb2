package dev.vivarium.persistence.secrets;

import com.google.crypto.tink.AccessesPartialKey;
import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.AesGcmKey;
import com.google.crypto.tink.aead.AesGcmParameters;
import com.google.crypto.tink.aead.KmsEnvelopeAead;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import com.google.crypto.tink.subtle.Hkdf;
import com.google.crypto.tink.util.SecretBytes;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.SecretName;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How tenants' secrets are sealed: envelope encryption by Tink. Each value has a data key of its own (AES-256-GCM), which a
 * master key wraps; the associated data bind it to tenant, name and version, so a sealed value that is moved to another row
 * does not open. A master is any {@link Aead} with a name, which is stored beside what it wrapped: here a key derived from
 * the installation's master key, which wraps the keys of runs' secrets too; a KMS fits in its place. Thread-safe.
 */
public final class NamedSecretSeal {
    private static final byte[] PURPOSE = "vivarium.named-secret:1".getBytes(StandardCharsets.US_ASCII);
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;

    /** By name. */
    private final Map<String, Aead> masters;

    private final String current;

    private NamedSecretSeal(Map<String, Aead> masters, String current) {
        this.masters = masters;
        this.current = current;
    }

    /**
     * A sealed value.
     *
     * @param master the name of the master key that wrapped its data key
     * @param bytes Tink's envelope: the wrapped data key, then the value under it
     */
    public record Sealed(String master, Blob bytes) {}

    /**
     * Seals with the first of the keys, and opens with all.
     *
     * @param keys the master keys, at least one
     */
    public static NamedSecretSeal of(List<SecretSeal.Key> keys) {
        Map<String, Aead> masters = new HashMap<>();
        try {
            AeadConfig.register();
            for (SecretSeal.Key key : keys) {
                masters.put(key.name(), KmsEnvelopeAead.create(PredefinedAeadParameters.AES256_GCM, derived(key)));
            }
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("Tink has AES-GCM and HMAC on every Java platform.", missing);
        }
        return new NamedSecretSeal(masters, keys.get(0).name());
    }

    @AccessesPartialKey
    private static Aead derived(SecretSeal.Key master) throws GeneralSecurityException {
        byte[] bytes = Hkdf.computeHkdf("HMACSHA256", master.bytes(), new byte[0], PURPOSE, KEY_BYTES);
        AesGcmParameters parameters = AesGcmParameters.builder()
                .setKeySizeBytes(KEY_BYTES)
                .setIvSizeBytes(NONCE_BYTES)
                .setTagSizeBytes(TAG_BYTES)
                .setVariant(AesGcmParameters.Variant.NO_PREFIX)
                .build();
        AesGcmKey key = AesGcmKey.builder()
                .setParameters(parameters)
                .setKeyBytes(SecretBytes.copyFrom(bytes, InsecureSecretKeyAccess.get()))
                .build();
        return KeysetHandle.newBuilder()
                .addEntry(KeysetHandle.importKey(key).withRandomId().makePrimary())
                .build()
                .getPrimitive(RegistryConfiguration.get(), Aead.class);
    }

    /** The name of the master key that seals. */
    String current() {
        return current;
    }

    /** Whether this node has a master key. */
    boolean knows(String master) {
        return masters.containsKey(master);
    }

    Sealed seal(Tenant tenant, SecretName name, long version, String value) {
        try {
            byte[] sealed = master(current, name)
                    .encrypt(value.getBytes(StandardCharsets.UTF_8), context(tenant, name, version));
            return new Sealed(current, Blob.of(sealed));
        } catch (GeneralSecurityException failed) {
            throw new StoreUnavailable("The secret " + name + " cannot be sealed.", failed);
        }
    }

    /**
     * Opens what {@link #seal} sealed.
     *
     * @throws StoreUnavailable with a sentence that names the secret, never the value, when the master key is missing here,
     *     or the bytes are another secret's or damaged
     */
    String open(Tenant tenant, SecretName name, long version, Sealed sealed) {
        try {
            byte[] value =
                    master(sealed.master(), name).decrypt(sealed.bytes().toByteArray(), context(tenant, name, version));
            return new String(value, StandardCharsets.UTF_8);
        } catch (GeneralSecurityException damaged) {
            throw new StoreUnavailable(
                    "The secret " + name + " cannot be opened: what is stored of it is damaged, or belongs elsewhere.",
                    damaged);
        }
    }

    private Aead master(String master, SecretName name) {
        Aead known = masters.get(master);
        if (known == null) {
            throw new StoreUnavailable("The secret " + name + " is sealed with master key " + master
                    + ", which this node does not have: compare the nodes' files of master keys.");
        }
        return known;
    }

    /** No name has a colon, and a version is digits, so that no two secrets have the same. */
    private static byte[] context(Tenant tenant, SecretName name, long version) {
        return ("vivarium.named-secret:" + name + ":" + version + ":" + tenant.name()).getBytes(StandardCharsets.UTF_8);
    }
}
