package dev.vivarium.node.admission;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The client's name for one submission, which identifies retries: 1 to 255 visible ASCII characters. Keys are separate
 * for each tenant.
 *
 * @param value the characters
 */
public record IdempotencyKey(String value) {
    private static final Pattern SHAPE = Pattern.compile("[\\x21-\\x7e]{1,255}");

    public IdempotencyKey {
        if (!SHAPE.matcher(value).matches()) {
            throw new IllegalArgumentException("An idempotency key is 1 to 255 visible ASCII characters.");
        }
    }

    /** The key, if the text is a valid one. */
    public static Optional<IdempotencyKey> of(String text) {
        return SHAPE.matcher(text).matches() ? Optional.of(new IdempotencyKey(text)) : Optional.empty();
    }

    /** The stored form of the key. A tenant's name contains no control characters, so NUL is a separator. */
    Blob digest(Tenant tenant) {
        MessageDigest sha256 = Digest.newSha256();
        sha256.update("vivarium idempotency key 1\0".getBytes(StandardCharsets.UTF_8));
        return Blob.of(sha256.digest((tenant.name() + '\0' + value).getBytes(StandardCharsets.UTF_8)));
    }
}
