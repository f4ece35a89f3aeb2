package dev.vivarium.node.admission;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.spec.InvalidKeySpecException;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * How a submission under an idempotency key is known again. The run's id follows from tenant and key, so that a retry
 * reaches the same entity wherever it is sent; a digest tells whether the retry says the same as the first time.
 *
 * <p>The digest is journaled and outlives the secrets, whose key is destroyed when the run ends; so it must not be an
 * oracle for them. It covers the body without the secrets' values by plain SHA-256, and the values by PBKDF2 with the
 * idempotency key, which is stored nowhere, as part of the salt: whoever holds the journal and a guess at a secret has
 * to guess the key as well, and pays {@value #ITERATIONS} rounds for each pair. Without an idempotency key the run's id
 * is random and never comes again, so the digest need not cover the secrets, and does not.
 */
final class SubmissionName {
    /** About 50 ms of one processor; spent only on submissions with a key and secrets. */
    static final int ITERATIONS = 100_000;

    private static final int DIGEST_BITS = 256;

    private SubmissionName() {}

    static RunId runId(String tenant, IdempotencyKey key) {
        MessageDigest sha256 = CanonicalDigest.newSha256();
        sha256.update("vivarium run id 1\0".getBytes(StandardCharsets.UTF_8));
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest(tenantAndKey(tenant, key)));
        return new RunId(new Ulid(hash.getLong(), hash.getLong()).toLowerCase());
    }

    static Blob digest(Submission submission) {
        return submission.bodyDigest();
    }

    static Blob digest(Submission submission, IdempotencyKey key) {
        if (submission.secrets().isEmpty()) {
            return digest(submission);
        }
        MessageDigest sha256 = CanonicalDigest.newSha256();
        sha256.update(submission.bodyDigest().toByteArray());
        return Blob.of(sha256.digest(slowDigest(submission.secrets(), tenantAndKey(submission.tenant(), key))));
    }

    private static byte[] slowDigest(Map<String, Secret> secrets, byte[] salt) {
        PBEKeySpec spec = new PBEKeySpec(spelled(secrets).toCharArray(), salt, ITERATIONS, DIGEST_BITS);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (NoSuchAlgorithmException | InvalidKeySpecException impossible) {
            throw new IllegalStateException("Every Java platform since 8 has PBKDF2 with SHA-256.", impossible);
        } finally {
            spec.clearPassword();
        }
    }

    /** Names and values in order, such that different secrets are spelled differently. */
    private static String spelled(Map<String, Secret> secrets) {
        StringBuilder spelled = new StringBuilder();
        new TreeMap<>(secrets).forEach((name, secret) -> spelled.append(name.length())
                .append(':')
                .append(name)
                .append(secret.reveal().length())
                .append(':')
                .append(secret.reveal()));
        return spelled.toString();
    }

    /** A tenant holds no NUL, for it is a label's value. */
    private static byte[] tenantAndKey(String tenant, IdempotencyKey key) {
        return (tenant + '\0' + key.value()).getBytes(StandardCharsets.UTF_8);
    }
}
