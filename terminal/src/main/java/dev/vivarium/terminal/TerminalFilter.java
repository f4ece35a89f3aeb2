package dev.vivarium.terminal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Passes only the parts of an agent's output that are safe for a terminal: text, line ends, tabs and colours. An agent is
 * not trusted, and a terminal obeys sequences that rewrite what was printed before, set its title, answer as if the
 * user had typed, or write the clipboard. Everything else is made visible, as {@code cat -v} does: {@code ^[} for an
 * escape that starts no colour, {@code <U+009B>} for control characters beyond ASCII, U+FFFD for invalid UTF-8.
 *
 * <p>One filter serves one stream; it keeps an incomplete character or colour until the next piece. Not safe for use by
 * several threads.
 */
public final class TerminalFilter {
    /** 38;2;r;g;b for text and background together takes 37 bytes; longer sequences are no colours. */
    private static final int COLOUR_BYTES_MAX = 48;

    private static final byte[] RESET = {0x1b, '[', '0', 'm'};

    private final ByteArrayOutputStream passed = new ByteArrayOutputStream();
    private final StringBuilder escape = new StringBuilder();
    private final byte[] character = new byte[4];
    private int characterBytes;
    private int characterLength;
    private Colours colours = Colours.PLAIN;

    private enum Colours {
        PLAIN,
        CHANGED
    }

    /** The next piece of the stream, made safe. */
    public byte[] filter(byte[] piece) {
        for (byte next : piece) {
            accept(next & 0xff);
        }
        return drain();
    }

    /** The bytes held back at the stream's end, and a reset of the colours. */
    public byte[] end() {
        flushEscape();
        flushCharacter();
        if (colours == Colours.CHANGED) {
            passed.writeBytes(RESET);
            colours = Colours.PLAIN;
        }
        return drain();
    }

    private byte[] drain() {
        byte[] bytes = passed.toByteArray();
        passed.reset();
        return bytes;
    }

    private void accept(int next) {
        if (characterLength > 0) {
            if ((next & 0xc0) == 0x80) {
                continueCharacter(next);
                return;
            }
            flushCharacter();
        }
        if (!escape.isEmpty() && continueEscape(next)) {
            return;
        }
        start(next);
    }

    private void start(int next) {
        if (next == 0x1b) {
            escape.append((char) next);
        } else if (next == '\n' || next == '\t' || next == '\r') {
            passed.write(next);
        } else if (next < 0x20 || next == 0x7f) {
            passed.write('^');
            passed.write(next ^ 0x40);
        } else if (next < 0x80) {
            passed.write(next);
        } else {
            startCharacter(next);
        }
    }

    /** Takes the byte if it can belong to a colour; otherwise shows the bytes held back and leaves the byte to the caller. */
    private boolean continueEscape(int next) {
        boolean opens = escape.length() == 1;
        if (opens ? next == '[' : next >= '0' && next <= ';') {
            escape.append((char) next);
            if (escape.length() < COLOUR_BYTES_MAX) {
                return true;
            }
            flushEscape();
            return true;
        }
        if (!opens && next == 'm') {
            escape.append('m');
            passed.writeBytes(escape.toString().getBytes(StandardCharsets.US_ASCII));
            escape.setLength(0);
            colours = Colours.CHANGED;
            return true;
        }
        flushEscape();
        return false;
    }

    private void flushEscape() {
        if (!escape.isEmpty()) {
            passed.writeBytes(("^[" + escape.substring(1)).getBytes(StandardCharsets.US_ASCII));
            escape.setLength(0);
        }
    }

    private void startCharacter(int next) {
        int length =
                next >= 0xc2 && next <= 0xdf ? 2 : (next & 0xf0) == 0xe0 ? 3 : next >= 0xf0 && next <= 0xf4 ? 4 : 0;
        if (length == 0) {
            show("\ufffd");
            return;
        }
        character[0] = (byte) next;
        characterBytes = 1;
        characterLength = length;
    }

    private void continueCharacter(int next) {
        character[characterBytes++] = (byte) next;
        if (characterBytes < characterLength) {
            return;
        }
        String decoded = new String(character, 0, characterLength, StandardCharsets.UTF_8);
        characterLength = 0;
        int codePoint = decoded.codePointAt(0);
        boolean whole = decoded.codePointCount(0, decoded.length()) == 1;
        if (whole && (Printable.isHarmless(codePoint) || isDrawn(codePoint))) {
            show(decoded);
        } else if (whole) {
            show(String.format("<U+%04X>", codePoint));
        } else {
            show("\ufffd");
        }
    }

    /** Joins emoji, marks words, or is in a font's private area: unusual, but no terminal acts on them. */
    private static boolean isDrawn(int codePoint) {
        int type = Character.getType(codePoint);
        return codePoint == 0x200d
                || codePoint == 0x200c
                || codePoint == 0xfeff
                || type == Character.PRIVATE_USE
                || type == Character.UNASSIGNED;
    }

    private void flushCharacter() {
        if (characterLength > 0) {
            characterLength = 0;
            show("\ufffd");
        }
    }

    private void show(String text) {
        passed.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
