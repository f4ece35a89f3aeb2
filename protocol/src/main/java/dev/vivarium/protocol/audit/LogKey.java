package dev.vivarium.protocol.audit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.EdECPublicKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A key that signs notes (C2SP signed-note, Ed25519), in the form that Go's {@code note.GenerateKey} writes: {@code
 * PRIVATE+KEY+name+hash+base64}. Its text is a secret, and its {@link #toString} is not.
 */
public final class LogKey {
    private static final String PREFIX = "PRIVATE+KEY+";
    private static final byte ED25519 = 1;
    private static final int SEED_BYTES = 32;
    /** What precedes the 32 bytes of a private key in its PKCS #8 form (RFC 8410). */
    private static final byte[] PKCS8 = HexFormat.of().parseHex("302e020100300506032b657004220420");

    private final String name;
    private final byte[] seed;
    private final PrivateKey secret;
    private final byte[] typedPublic;

    private LogKey(String name, byte[] seed) {
        this.name = name;
        this.seed = seed.clone();
        try {
            byte[] encoded = Arrays.copyOf(PKCS8, PKCS8.length + SEED_BYTES);
            System.arraycopy(seed, 0, encoded, PKCS8.length, SEED_BYTES);
            this.secret = KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(encoded));
            this.typedPublic = typed(publicKey(seed));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every Java platform of this version has Ed25519.", impossible);
        }
    }

    /** The platform derives a public key only when it makes a pair, and makes a pair of the bytes that it is given. */
    private static byte[] publicKey(byte[] seed) throws GeneralSecurityException {
        KeyPairGenerator pairs = KeyPairGenerator.getInstance("Ed25519");
        pairs.initialize(NamedParameterSpec.ED25519, new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                System.arraycopy(seed, 0, bytes, 0, bytes.length);
            }
        });
        KeyPair pair = pairs.generateKeyPair();
        byte[] encoded = pair.getPublic().getEncoded();
        assert pair.getPublic() instanceof EdECPublicKey;
        return Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
    }

    private static byte[] typed(byte[] key) {
        return ByteBuffer.allocate(1 + key.length).put(ED25519).put(key).array();
    }

    /**
     * A new key.
     *
     * @throws IllegalArgumentException for a name that no key may have
     */
    public static LogKey create(String name) {
        byte[] seed = new byte[SEED_BYTES];
        new SecureRandom().nextBytes(seed);
        return new LogKey(named(name), seed);
    }

    private static String named(String name) {
        if (!Verify.Key.isName(name)) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no name of a log: it must not have spaces, control characters or '+'.");
        }
        return name;
    }

    /** Whether a line is meant to be such a key. */
    static boolean isSecret(String line) {
        return line.startsWith(PREFIX);
    }

    /**
     * Reads a key's text.
     *
     * @throws IllegalArgumentException with a sentence that has nothing of the text
     */
    public static LogKey parse(String text) {
        String[] parts =
                text.startsWith(PREFIX) ? text.substring(PREFIX.length()).split("\\+", 3) : new String[0];
        if (parts.length == 3 && Verify.Key.isName(parts[0])) {
            try {
                byte[] typed = Base64.getDecoder().decode(parts[2]);
                if (typed.length == 1 + SEED_BYTES && typed[0] == ED25519) {
                    LogKey key = new LogKey(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
                    if (key.text().equals(text)) {
                        return key;
                    }
                }
            } catch (IllegalArgumentException notBase64) {
                // As any other text.
            }
        }
        throw new IllegalArgumentException("A line is no key of a log (" + PREFIX + "name+hash+base64).");
    }

    public String name() {
        return name;
    }

    /** The text with the secret. */
    public String text() {
        return PREFIX + name + "+" + hash() + "+" + Base64.getEncoder().encodeToString(typed(seed));
    }

    /** The verifier key's text. */
    public String verifier() {
        return name + "+" + hash() + "+" + Base64.getEncoder().encodeToString(typedPublic);
    }

    private String hash() {
        return HexFormat.of().toHexDigits(Verify.Key.id(name, typedPublic));
    }

    /** The signature's line, with its end of line, for a text that ends in one. */
    public String signature(String text) {
        try {
            Signature signer = Signature.getInstance("Ed25519");
            signer.initSign(secret);
            signer.update(text.getBytes(StandardCharsets.UTF_8));
            byte[] signature = signer.sign();
            byte[] line = ByteBuffer.allocate(Integer.BYTES + signature.length)
                    .putInt(Verify.Key.id(name, typedPublic))
                    .put(signature)
                    .array();
            return "\u2014 " + name + " " + Base64.getEncoder().encodeToString(line) + "\n";
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every Java platform of this version has Ed25519.", impossible);
        }
    }

    @Override
    public String toString() {
        return verifier();
    }
}
