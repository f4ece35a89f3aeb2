package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.api.ExportLine;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads lines of an export and hashes their events, by the lines alone: so different lines can be read by different
 * threads, with a reader each. An event's line as a node writes it is read from its bytes, in one pass and without an
 * object for each field. What is not exactly of that form (the first and the last line, other events, another order of
 * fields, rarer escapes) is left to a general reader of JSON, and what is of that form is read as that one reads it.
 */
public final class ExportText {
    private static final byte[] POSITION = ascii("{\"line\":\"event\",\"position\":");
    private static final byte[] RUN = ascii(",\"run\":\"");
    private static final byte[] SEQ = ascii("\",\"seq\":");
    private static final byte[] TYPE = ascii(",\"type\":\"");
    private static final byte[] VERSION = ascii("\",\"version\":");
    private static final byte[] PREVIOUS = ascii(",\"previousHash\":\"");
    private static final byte[] PAYLOAD = ascii("\",\"payload\":\"");
    private static final byte[] LEAF = ascii(",\"leaf\":\"");
    private static final byte[] END = ascii("\"}\n");

    private static final int RUN_CHARS = 26;
    private static final int HEX_CHARS = 2 * LogHasher.HASH_BYTES;
    /** So many digits fit into the field's number, whatever they are. */
    private static final int LONG_DIGITS_MAX = 18;

    private static final int INT_DIGITS_MAX = 9;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long LOW_BITS = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long QUOTES = '"' * LOW_BITS;
    private static final long BACKSLASHES = '\\' * LOW_BITS;
    /** {@code \"}, any letter, and {@code \"}, read as one number; and what of it is not that letter. */
    private static final long ESCAPED_QUOTES = 0x22_5c_00_22_5cL;

    private static final long AROUND = 0xff_ff_00_ff_ffL;
    private static final long SPACES = ' ' * LOW_BITS;
    private static final boolean[] IN_RUN = new boolean[128];
    /** Of most lines; more and fewer are as good. */
    private static final int EVENT_BYTES = 512;

    private static final int ROOM_MAX = 1024;
    private static final ExportPiece NO_LINE = new ExportPiece.Line(Optional.empty());

    private static final int PAYLOAD_BYTES = 1 << 12;
    private static final int KEPT_BYTES_MAX = 1 << 20;

    static {
        for (byte letter : ascii("0123456789abcdefghjkmnpqrstvwxyz")) {
            IN_RUN[letter] = true;
        }
    }

    private final Function<String, Optional<ExportLine>> general;
    private final LogHasher hasher = new LogHasher();
    private byte[] payload = new byte[PAYLOAD_BYTES];
    /** What is read, and where the line has been read to. */
    private byte[] bytes = new byte[0];

    private int at;

    /** @param general reads a line of JSON; empty for one that is no line of an export */
    public ExportText(Function<String, Optional<ExportLine>> general) {
        this.general = general;
    }

    /**
     * Reads whole lines.
     *
     * @param text begins with a line, and ends after the end of one or after the last one of all
     */
    public List<ExportPiece> read(byte[] text, int length) {
        List<ExportPiece> pieces = new ArrayList<>();
        HashedEvents events = events(length);
        bytes = text;
        int from = 0;
        while (from < length) {
            at = from;
            if (event(events, length)) {
                from = at;
                continue;
            }
            int to = from;
            while (to < length && text[to] != '\n') {
                to++;
            }
            if (events.size() > 0) {
                close(pieces, events);
                events = events(length - to);
            }
            lines(pieces, from, to);
            from = to + 1;
        }
        close(pieces, events);
        bytes = new byte[0];
        if (payload.length > KEPT_BYTES_MAX) {
            payload = new byte[PAYLOAD_BYTES];
        }
        return pieces;
    }

    private HashedEvents events(int length) {
        return new HashedEvents(hasher, Math.min(length / EVENT_BYTES + 1, ROOM_MAX));
    }

    private static void close(List<ExportPiece> pieces, HashedEvents events) {
        if (events.size() > 0) {
            events.row();
            pieces.add(events);
        }
    }

    /** Lines that end with a carriage return, too, as text files may have them. */
    private void lines(List<ExportPiece> pieces, int from, int to) {
        Optional<String> text = text(bytes, from, to);
        List<String> lines = text.map(whole -> whole.lines().toList()).orElse(List.of());
        if (lines.isEmpty()) {
            pieces.add(NO_LINE);
        }
        lines.forEach(line -> pieces.add(new ExportPiece.Line(general.apply(line))));
    }

    private static Optional<String> text(byte[] bytes, int from, int to) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString());
        } catch (CharacterCodingException notText) {
            return Optional.empty();
        }
    }

    // ---- an event's line

    /** Adds the event whose line begins here; false when the line is of any other form. */
    private boolean event(HashedEvents events, int length) {
        if (!is(POSITION, length)) {
            return false;
        }
        long position = number(length, LONG_DIGITS_MAX);
        if (position < 0 || !is(RUN, length) || !isRun(length)) {
            return false;
        }
        int run = at;
        at += RUN_CHARS;
        if (!is(SEQ, length)) {
            return false;
        }
        long seq = number(length, LONG_DIGITS_MAX);
        if (seq < 0 || !is(TYPE, length)) {
            return false;
        }
        int type = at;
        int typeEnd = word(length);
        if (typeEnd < 0 || !is(VERSION, length)) {
            return false;
        }
        long version = number(length, INT_DIGITS_MAX);
        if (version < 0 || !is(PREVIOUS, length) || at + HEX_CHARS > length || !events.previous(bytes, at)) {
            return false;
        }
        at += HEX_CHARS;
        if (!is(PAYLOAD, length)) {
            return false;
        }
        int size = payload(length);
        if (size < 0 || !is(LEAF, length) || !leaf(events, length) || !is(END, length)) {
            return false;
        }
        events.add(position, ascii(run, run + RUN_CHARS), seq, ascii(type, typeEnd), (int) version, payload, size);
        return true;
    }

    /** Passes what must stand here. */
    private boolean is(byte[] expected, int length) {
        int to = at + expected.length;
        if (to > length || !Arrays.equals(bytes, at, to, expected, 0, expected.length)) {
            return false;
        }
        at = to;
        return true;
    }

    /** Passes a number as JSON writes it; negative when there is none, or a longer one. */
    private long number(int length, int digitsMax) {
        byte[] from = bytes;
        int start = at;
        int to = start;
        int end = Math.min(length, start + digitsMax);
        long number = 0;
        while (to < end && from[to] >= '0' && from[to] <= '9') {
            number = 10 * number + from[to] - '0';
            to++;
        }
        at = to;
        return to == start || (from[start] == '0' && to > start + 1) ? -1 : number;
    }

    private boolean isRun(int length) {
        int start = at;
        if (start + RUN_CHARS > length || bytes[start] > '7') {
            return false;
        }
        for (int i = 0; i < RUN_CHARS; i++) {
            byte letter = bytes[start + i];
            if (letter < 0 || !IN_RUN[letter]) {
                return false;
            }
        }
        return true;
    }

    /** Passes printable ASCII up to a quote; where it ends, or negative when it holds anything else. */
    private int word(int length) {
        int to = at;
        while (to < length && bytes[to] >= ' ' && bytes[to] != '"' && bytes[to] != '\\') {
            to++;
        }
        at = to;
        return to < length && bytes[to] == '"' ? to : -1;
    }

    /**
     * Passes the text of a payload and its quote, and keeps its bytes, eight at a time as far as they stand for
     * themselves. How many they are, or negative when it holds rarer escapes, or the line ends in it.
     */
    private int payload(int length) {
        byte[] from = bytes;
        int next = at;
        if (payload.length < length - next) {
            payload = new byte[length];
        }
        byte[] into = payload;
        int size = 0;
        long seen = 0;
        // Behind a payload come the leaf's 55 bytes, so reading and writing too many does no harm.
        while (next + Long.BYTES <= length) {
            long eight = (long) LONG.get(from, next);
            LONG.set(into, size, eight);
            seen |= eight;
            long special = equal(eight, QUOTES) | equal(eight, BACKSLASHES) | ((eight - SPACES) & ~eight & HIGH_BITS);
            int plain = Long.numberOfTrailingZeros(special) / Byte.SIZE;
            next += plain;
            size += plain;
            if (plain == Long.BYTES) {
                continue;
            }
            if (from[next] == '"') {
                at = next + 1;
                return (seen & HIGH_BITS) == 0 || text(into, 0, size).isPresent() ? size : -1;
            }
            if (next + Long.BYTES > length || from[next] != '\\') {
                return -1;
            }
            long escape = (long) LONG.get(from, next);
            byte between = (byte) (escape >>> 16);
            if ((escape & AROUND) == ESCAPED_QUOTES && (between == ':' || between == ',')) {
                // As between any two texts of an object: half of all escapes, and no longer a surprise for the
                // processor.
                into[size] = '"';
                into[size + 1] = between;
                into[size + 2] = '"';
                size += 3;
                next += 5;
                continue;
            }
            byte escaped = (byte) (escape >>> 8);
            if (escaped != '"' && escaped != '\\') {
                return -1;
            }
            into[size] = escaped;
            size++;
            next += 2;
        }
        return -1;
    }

    /** The high bit of the first byte that both have in common; those of later bytes may be set as well. */
    private static long equal(long eight, long letters) {
        long difference = eight ^ letters;
        return (difference - LOW_BITS) & ~difference & HIGH_BITS;
    }

    private boolean leaf(HashedEvents events, int length) {
        if (at + HashedEvents.BASE64_CHARS > length || !events.logged(bytes, at)) {
            return false;
        }
        at += HashedEvents.BASE64_CHARS;
        return true;
    }

    private String ascii(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
