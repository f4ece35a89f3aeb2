package dev.vivarium.node.driver.guest;

import dev.vivarium.node.driver.SandboxId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Standard error of the guest itself, or of the engine's runtime before it; normally empty. A limited amount for each
 * sandbox goes to the node's log. Used by one thread.
 */
final class GuestStderr {
    private static final Logger LOG = LoggerFactory.getLogger(GuestStderr.class);
    private static final int LOGGED_BYTES_MAX = 4 * 1024;

    private final SandboxId id;
    private final StringBuilder logged = new StringBuilder();

    GuestStderr(SandboxId id) {
        this.id = id;
    }

    void add(ByteBuffer bytes) {
        int room = LOGGED_BYTES_MAX - logged.length();
        if (room <= 0) {
            return;
        }
        byte[] part = new byte[Math.min(room, bytes.remaining())];
        bytes.get(part);
        String text = new String(part, StandardCharsets.ISO_8859_1).replaceAll("[^\\x20-\\x7e]+", " ");
        logged.append(text);
        LOG.warn("Sandbox {} wrote to its standard error: {}", id, text);
    }

    /** The text as one line; empty when there is none. */
    String text() {
        return logged.toString().strip();
    }
}
