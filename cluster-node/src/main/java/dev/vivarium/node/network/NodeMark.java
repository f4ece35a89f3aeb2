package dev.vivarium.node.network;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * By what the kernel's things of one node are told from those of others on the same machine, in this life of it and the
 * next: the names of interfaces have room for 15 characters only.
 *
 * @param text six hexadecimal digits
 */
record NodeMark(String text) {
    private static final int BYTES = 3;

    static NodeMark of(String installation, String node) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((installation + "/" + node).getBytes(StandardCharsets.UTF_8));
            return new NodeMark(HexFormat.of().formatHex(digest, 0, BYTES));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java has SHA-256.", impossible);
        }
    }

    /** The number that it stands for. */
    int number() {
        return Integer.parseInt(text, 16);
    }

    /** Its packet filter. */
    String table() {
        return "vivarium_" + text;
    }

    /** The interface that holds the node's own address towards sandboxes. */
    String ownInterface() {
        return Links.ALL + text;
    }

    /** How the links of sandboxes begin that may reach the internet. */
    String publicLinks() {
        return Links.ALL + text + "p";
    }

    /** How the links of sandboxes begin that reach listed destinations only. */
    String listedLinks() {
        return Links.ALL + text + "a";
    }

    /** How the links of all its sandboxes begin; {@link #ownInterface} is not one of them. */
    String links() {
        return Links.ALL + text;
    }
}
