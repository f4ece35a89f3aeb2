package dev.vivarium.node.driver.guest;

import dev.vivarium.node.driver.SandboxId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the guest itself, or the engine's runtime before it, writes to standard error: nothing in good times. Goes to
 * the node's log, a limited amount for each sandbox. Used by one thread.
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

    /** What was written, as one line; empty when nothing was. */
    String text() {
        return logged.toString().strip();
    }
}
