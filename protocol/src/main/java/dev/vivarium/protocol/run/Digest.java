package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.regex.Pattern;

/**
 * A SHA-256 digest.
 *
 * @param hex its 32 bytes as 64 lower-case hexadecimal digits
 */
public record Digest(@JsonValue String hex) implements Comparable<Digest> {
    private static final Pattern SHAPE = Pattern.compile("[0-9a-f]{64}");

    /** The length of a digest in bytes. */
    public static final int BYTES = 32;

    public Digest {
        if (!SHAPE.matcher(hex).matches()) {
            throw new IllegalArgumentException("must be a SHA-256 digest: 64 lower-case hexadecimal digits");
        }
    }

    /**
     * Parses 64 hexadecimal digits.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is no digest
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Digest parse(String hex) {
        return new Digest(hex);
    }

    /** The digest of the bytes. */
    public static Digest of(byte[] content) {
        return ofDigestBytes(newSha256().digest(content));
    }

    /** The digest of the content. */
    public static Digest of(Blob content) {
        return of(content.toByteArray());
    }

    /**
     * Wraps the 32 bytes of a computed digest.
     *
     * @throws IllegalArgumentException when they are not 32
     */
    public static Digest ofDigestBytes(byte[] digest) {
        return new Digest(Blob.of(digest).toHex());
    }

    /** A SHA-256 for incremental use; see {@link #ofDigestBytes}. */
    public static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }

    @Override
    public int compareTo(Digest other) {
        return hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return hex;
    }
}
