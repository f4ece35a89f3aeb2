package dev.vivarium.protocol.audit;

import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * The hashes that {@link Verify} defines, of many events: one digest and one buffer, and results that go where the caller
 * wants them. Confined to one thread.
 */
final class LogHasher {
    static final int HASH_BYTES = 32;

    private static final byte[] GENESIS = "vivarium.run:".getBytes(StandardCharsets.UTF_8);
    /** What a leaf begins with, after the zero that tells leaves from inner nodes. */
    private static final byte[] LEAF = "\0vivarium.event/1\n".getBytes(StandardCharsets.UTF_8);

    private final MessageDigest digest = sha256();
    private byte[] start = new byte[256];

    /** The hash before a run's first event. */
    byte[] genesis(byte[] run) {
        digest.update(GENESIS);
        return digest.digest(run);
    }

    /** An event's hash. The one before it stands in {@code hashes}, and this one is written behind it. */
    void event(byte[] hashes, int previous, byte[] type, int version, byte[] payload, int length) {
        int size = 5 * Integer.BYTES + HASH_BYTES + type.length;
        if (start.length < size) {
            start = new byte[2 * size];
        }
        int at = putInt(0, HASH_BYTES);
        System.arraycopy(hashes, previous, start, at, HASH_BYTES);
        at = putInt(at + HASH_BYTES, type.length);
        System.arraycopy(type, 0, start, at, type.length);
        at = putInt(at + type.length, Integer.BYTES);
        at = putInt(at, version);
        at = putInt(at, length);
        digest.update(start, 0, at);
        digest.update(payload, 0, length);
        finish(hashes, previous + HASH_BYTES);
    }

    /** The hash of an event's leaf. The event's hash stands in {@code hashes}, and this one is written behind it. */
    void leaf(byte[] run, long seq, byte[] hashes, int event) {
        System.arraycopy(LEAF, 0, start, 0, LEAF.length);
        System.arraycopy(run, 0, start, LEAF.length, run.length);
        int at = putInt(LEAF.length + run.length, (int) (seq >>> Integer.SIZE));
        at = putInt(at, (int) seq);
        System.arraycopy(hashes, event, start, at, HASH_BYTES);
        digest.update(start, 0, at + HASH_BYTES);
        finish(hashes, event + HASH_BYTES);
    }

    /** The hash of an inner node. Both children stand in {@code hashes}, and it takes the place of the left one. */
    void node(byte[] hashes, int left) {
        digest.update((byte) 1);
        digest.update(hashes, left, 2 * HASH_BYTES);
        finish(hashes, left);
    }

    private int putInt(int at, int value) {
        start[at] = (byte) (value >>> 24);
        start[at + 1] = (byte) (value >>> 16);
        start[at + 2] = (byte) (value >>> 8);
        start[at + 3] = (byte) value;
        return at + Integer.BYTES;
    }

    private void finish(byte[] hashes, int at) {
        try {
            digest.digest(hashes, at, HASH_BYTES);
        } catch (DigestException short32) {
            throw new IllegalStateException("A SHA-256 hash has 32 bytes.", short32);
        }
    }

    static boolean equal(byte[] one, int at, byte[] other, int there) {
        return Arrays.equals(one, at, at + HASH_BYTES, other, there, there + HASH_BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }
}
