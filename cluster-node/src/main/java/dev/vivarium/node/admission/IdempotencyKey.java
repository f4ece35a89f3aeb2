package dev.vivarium.node.admission;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The client's name for one submission, by which a retry is known: 1 to 255 visible ASCII characters. It is never
 * stored; it keys the digest of the secrets that came with it, and prints as stars for that reason.
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

    @Override
    public String toString() {
        return "IdempotencyKey(***)";
    }
}
