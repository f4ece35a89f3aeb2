package dev.vivarium.trials.agents;

import java.nio.charset.StandardCharsets;

/** Remembers a stream's last non-empty line. Safe for use by two threads. */
final class LastLine {
    /** More than any terminal shows in one line. */
    private static final int CHARACTERS_MAX = 120;

    private final StringBuilder current = new StringBuilder();
    private volatile String last = "";

    void accept(byte[] bytes) {
        // Only the end of a flood is visible.
        int from = Math.max(0, bytes.length - 4 * CHARACTERS_MAX);
        String text = new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8);
        text.chars().forEach(this::accept);
    }

    private void accept(int next) {
        if (next == '\n' || next == '\r') {
            current.setLength(0);
        } else if (current.length() < CHARACTERS_MAX) {
            current.append((char) next);
            if (!Character.isWhitespace(next)) {
                last = current.toString();
            }
        }
    }

    String text() {
        return last;
    }
}
