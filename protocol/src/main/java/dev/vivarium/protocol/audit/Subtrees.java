package dev.vivarium.protocol.audit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/** Roots over hashes (RFC 9162, section 2.1.1). Pure. */
public final class Subtrees {
    private Subtrees() {}

    /** The root over a power of two of hashes. */
    public static byte[] root(List<byte[]> hashes) {
        List<byte[]> level = hashes;
        while (level.size() > 1) {
            List<byte[]> above = new ArrayList<>(level.size() / 2);
            for (int at = 0; at < level.size(); at += 2) {
                above.add(Verify.nodeHash(level.get(at), level.get(at + 1)));
            }
            level = above;
        }
        return level.get(0);
    }

    /** The root over full subtrees that grow from the right to the left, the rightmost first. */
    public static byte[] joined(List<byte[]> fromTheRight) {
        if (fromTheRight.isEmpty()) {
            return emptyRoot();
        }
        byte[] root = fromTheRight.get(0);
        for (byte[] left : fromTheRight.subList(1, fromTheRight.size())) {
            root = Verify.nodeHash(left, root);
        }
        return root;
    }

    /** The root of a tree without leaves. */
    public static byte[] emptyRoot() {
        try {
            return MessageDigest.getInstance("SHA-256").digest();
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }
}
