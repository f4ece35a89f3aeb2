package dev.vivarium.node.admission;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The client's name for one submission, by which a retry is known: 1 to 255 visible ASCII characters. The run's id follows
 * from it and the tenant, so that a retry reaches the same entity wherever it is sent.
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

    /** The key, unless the text has another shape. */
    public static Optional<IdempotencyKey> of(String text) {
        return SHAPE.matcher(text).matches() ? Optional.of(new IdempotencyKey(text)) : Optional.empty();
    }

    /** The run of this submission. A tenant holds no NUL, for it is a label's value. */
    RunId runId(String tenant) {
        MessageDigest sha256 = CanonicalDigest.newSha256();
        sha256.update("vivarium run id 1\0".getBytes(StandardCharsets.UTF_8));
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest((tenant + '\0' + value).getBytes(StandardCharsets.UTF_8)));
        return new RunId(new Ulid(hash.getLong(), hash.getLong()).toLowerCase());
    }
}
