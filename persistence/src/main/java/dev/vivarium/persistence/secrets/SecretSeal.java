package dev.vivarium.persistence.secrets;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a run's secrets are sealed, wherever its key is stored: AES-256-GCM with a fresh nonce for each value. Associated
 * data binds a wrapped key to its run, and a value to its run and name. Thread-safe.
 */
public final class SecretSeal {
    private static final SecureRandom RANDOM = new SecureRandom();

    private SecretSeal() {}

    /** A key of 32 bytes. */
    public static final class Key {
        private static final int NAME_BYTES = 8;

        private final byte[] bytes;

        private Key(byte[] bytes) {
            this.bytes = bytes;
        }

        /**
         * Creates a key.
         *
         * @throws IllegalArgumentException when there are not 32 bytes
         */
        public static Key of(byte[] bytes) {
            if (bytes.length != Sealer.KEY_BYTES) {
                throw new IllegalArgumentException(
                        "A key has " + Sealer.KEY_BYTES + " bytes, and this one has " + bytes.length + ".");
            }
            return new Key(bytes.clone());
        }

        public static Key random() {
            return new Key(Sealer.newKey(RANDOM));
        }

        public byte[] bytes() {
            return bytes.clone();
        }

        /** Identifies the key without revealing anything of it. */
        public String name() {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
                return HexFormat.of().formatHex(Arrays.copyOf(digest, NAME_BYTES));
            } catch (GeneralSecurityException missing) {
                throw new IllegalStateException("Every Java platform has SHA-256.", missing);
            }
        }

        private Sealer sealer() {
            return new Sealer(bytes, RANDOM);
        }
    }

    /** Wraps a run's key with a master key. */
    public static Blob wrap(Key master, RunId run, Key key) throws GeneralSecurityException {
        return Blob.of(master.sealer().seal(key.bytes, context(run, "")));
    }

    /**
     * Unwraps a key wrapped with {@link #wrap}.
     *
     * @throws GeneralSecurityException when the master key or the run differs, or the bytes are damaged
     */
    public static Key unwrap(Key master, RunId run, Blob wrapped) throws GeneralSecurityException {
        return Key.of(master.sealer().open(wrapped.toByteArray(), context(run, "")));
    }

    /** Seals secrets with the run's key. */
    public static SealedSecrets seal(Key key, RunId run, Map<String, String> secrets) throws GeneralSecurityException {
        Map<String, String> sorted = new TreeMap<>(secrets);
        Sealer sealer = key.sealer();
        List<byte[]> sealed = new ArrayList<>();
        int bytes = 0;
        for (Map.Entry<String, String> secret : sorted.entrySet()) {
            byte[] value = secret.getValue().getBytes(StandardCharsets.UTF_8);
            byte[] closed = sealer.seal(value, context(run, secret.getKey()));
            sealed.add(closed);
            bytes += Integer.BYTES + closed.length;
        }
        ByteBuffer out = ByteBuffer.allocate(bytes);
        sealed.forEach(value -> out.putInt(value.length).put(value));
        return new SealedSecrets(List.copyOf(sorted.keySet()), Blob.of(out.array()));
    }

    /**
     * Opens secrets sealed with {@link #seal}.
     *
     * @throws GeneralSecurityException when the key differs, or the sealed bytes are damaged
     */
    public static Map<String, String> open(Key key, RunId run, SealedSecrets sealed) throws GeneralSecurityException {
        Sealer sealer = key.sealer();
        ByteBuffer in = ByteBuffer.wrap(sealed.ciphertext().toByteArray());
        Map<String, String> secrets = new TreeMap<>();
        try {
            for (String name : sealed.names()) {
                byte[] value = new byte[checkedLength(in)];
                in.get(value);
                secrets.put(name, new String(sealer.open(value, context(run, name)), StandardCharsets.UTF_8));
            }
        } catch (BufferUnderflowException cutOff) {
            throw new GeneralSecurityException("The sealed secrets are truncated.", cutOff);
        }
        return secrets;
    }

    /** Secrets never have an empty name, so a key's context differs from every value's. */
    private static byte[] context(RunId run, String name) {
        return ("vivarium.secret:" + run + ":" + name).getBytes(StandardCharsets.UTF_8);
    }

    private static int checkedLength(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        return length;
    }
}
