package dev.vivarium.persistence.secrets;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** AES-256-GCM with one key. Format: version, random nonce, ciphertext and tag. */
final class Sealer {
    static final int KEY_BYTES = 32;

    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final byte VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final int HEAD_BYTES = 1 + NONCE_BYTES;

    private final SecretKeySpec key;
    private final SecureRandom random;

    Sealer(byte[] key, SecureRandom random) {
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException(
                    "A key has " + KEY_BYTES + " bytes, and this one has " + key.length + ".");
        }
        this.key = new SecretKeySpec(key, "AES");
        this.random = random;
    }

    static byte[] newKey(SecureRandom random) {
        byte[] key = new byte[KEY_BYTES];
        random.nextBytes(key);
        return key;
    }

    /** Encrypts with the context as associated data: opening requires the same context. */
    byte[] seal(byte[] plain, byte[] context) throws GeneralSecurityException {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        Cipher cipher = cipher(Cipher.ENCRYPT_MODE, nonce, context);
        byte[] sealed = new byte[HEAD_BYTES + cipher.getOutputSize(plain.length)];
        sealed[0] = VERSION;
        System.arraycopy(nonce, 0, sealed, 1, NONCE_BYTES);
        cipher.doFinal(plain, 0, plain.length, sealed, HEAD_BYTES);
        return sealed;
    }

    byte[] open(byte[] sealed, byte[] context) throws GeneralSecurityException {
        if (sealed.length < HEAD_BYTES + TAG_BITS / Byte.SIZE || sealed[0] != VERSION) {
            throw new GeneralSecurityException("Not sealed by this version.");
        }
        byte[] nonce = Arrays.copyOfRange(sealed, 1, HEAD_BYTES);
        return cipher(Cipher.DECRYPT_MODE, nonce, context).doFinal(sealed, HEAD_BYTES, sealed.length - HEAD_BYTES);
    }

    private Cipher cipher(int mode, byte[] nonce, byte[] context) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(context);
        return cipher;
    }
}
