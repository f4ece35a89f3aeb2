package dev.vivarium.node.network;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Distinguishes one node's kernel objects from those of other nodes on the same machine. It stays the same when the
 * node restarts. Short, because interface names have at most 15 characters.
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

    /** The mark as a number. */
    int number() {
        return Integer.parseInt(text, 16);
    }

    /** The name of the packet filter's table. */
    String table() {
        return "vivarium_" + text;
    }

    /** The interface with the node's own address towards sandboxes. */
    String ownInterface() {
        return Links.ALL + text;
    }

    /** The name prefix of links of sandboxes that may reach the internet. */
    String publicLinks() {
        return Links.ALL + text + "p";
    }

    /** The name prefix of links of sandboxes that reach listed destinations only. */
    String listedLinks() {
        return Links.ALL + text + "a";
    }

    /** The name prefix of all sandboxes' links; {@link #ownInterface} does not have it. */
    String links() {
        return Links.ALL + text;
    }
}
