package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How tokens are made and recognized. A token is a prefix, 256 random bits and 64 check bits, in lower-case hexadecimal
 * digits. Everything else about it is one HMAC-SHA512 of prefix and random bits, under a key derived from the
 * installation's master key: the check bits, the public id and the verifier, which is what a store keeps. So a reader of
 * the store can neither use a token nor test guesses, and a token of another installation, or one that somebody made up, is
 * recognized without asking the store. Thread-safe.
 */
public final class TokenSeal {
    private static final String MAC = "HmacSHA512";
    private static final byte[] PURPOSE = "vivarium.token:1".getBytes(StandardCharsets.US_ASCII);
    private static final int RANDOM_BYTES = 32;
    private static final int CHECK_BYTES = 8;
    private static final int ID_BYTES = 8;
    private static final int VERIFIER_BYTES = 32;
    private static final HexFormat HEX = HexFormat.of();
    private static final SecureRandom RANDOM = new SecureRandom();
    /** The check bits are digits of the token, after its body. */
    private static final Pattern SHAPE = Pattern.compile(
            "(?<body>(?:viv|e2b)_[0-9a-f]{" + 2 * RANDOM_BYTES + "})(?<check>[0-9a-f]{" + 2 * CHECK_BYTES + "})");

    private final List<SecretKeySpec> keys;

    /** @param masters the master keys; new tokens belong to the first, and those of all are recognized */
    public TokenSeal(List<SecretSeal.Key> masters) {
        this.keys = masters.stream()
                .map(master -> new SecretKeySpec(hash(new SecretKeySpec(master.bytes(), MAC), PURPOSE), MAC))
                .toList();
    }

    /** The prefix of a token. */
    public enum Form {
        /** The usual one. */
        VIV("viv_"),
        /** For clients that demand it: the SDKs of E2B. */
        E2B("e2b_");

        private final String prefix;

        Form(String prefix) {
            this.prefix = prefix;
        }
    }

    /**
     * A token that this installation has made.
     *
     * @param text the token itself, which is shown once and stored nowhere
     */
    public record Minted(String text, Recognized recognized) {}

    /**
     * What a genuine token is known by.
     *
     * @param id its public name
     * @param verifier compared with the stored one by {@link #matches}
     */
    public record Recognized(TokenId id, Blob verifier) {
        /** Whether the stored verifier is this token's, in a time that does not depend on the bytes. */
        public boolean matches(Blob stored) {
            return MessageDigest.isEqual(verifier.toByteArray(), stored.toByteArray());
        }
    }

    /** Makes a token. */
    public Minted mint(Form form) {
        byte[] random = new byte[RANDOM_BYTES];
        RANDOM.nextBytes(random);
        String body = form.prefix + HEX.formatHex(random);
        byte[] mac = mac(keys.get(0), body);
        return new Minted(body + HEX.formatHex(mac, 0, CHECK_BYTES), recognized(mac));
    }

    /** Whether the text has the form of a whole token, of whatever installation. */
    public static boolean isWhole(String text) {
        return SHAPE.matcher(text).matches();
    }

    /** Recognizes a token that this installation has made; empty for any other text. */
    public Optional<Recognized> recognize(String text) {
        Matcher parts = SHAPE.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        byte[] check = HEX.parseHex(parts.group("check"));
        for (SecretKeySpec key : keys) {
            byte[] mac = mac(key, parts.group("body"));
            if (MessageDigest.isEqual(Arrays.copyOf(mac, CHECK_BYTES), check)) {
                return Optional.of(recognized(mac));
            }
        }
        return Optional.empty();
    }

    private static Recognized recognized(byte[] mac) {
        return new Recognized(
                new TokenId(HEX.formatHex(mac, CHECK_BYTES, CHECK_BYTES + ID_BYTES)),
                Blob.of(Arrays.copyOfRange(mac, mac.length - VERIFIER_BYTES, mac.length)));
    }

    private static byte[] mac(SecretKeySpec key, String body) {
        return hash(key, body.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] hash(SecretKeySpec key, byte[] bytes) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            return mac.doFinal(bytes);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("Every Java platform has " + MAC + ".", missing);
        }
    }
}
