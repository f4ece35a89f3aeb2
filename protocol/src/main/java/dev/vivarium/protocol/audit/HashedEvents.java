package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.ExportLine;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Events of an export that follow each other, with all that is compared of them: made by one thread from their lines
 * alone, and not changed once they are {@link #row}ed up. In columns, since an object for each event and for each of its
 * hashes would cost more than the hashes.
 */
public final class HashedEvents implements ExportPiece {
    private static final int HASH = LogHasher.HASH_BYTES;
    /** The columns of hashes: of the event before, as the event has it; the event's own; its leaf's, and the one that the log has. */
    private static final int PREVIOUS = 0;

    private static final int OWN = HASH;
    private static final int LEAF = 2 * HASH;
    private static final int LOGGED = 3 * HASH;
    private static final int HASHES = 4 * HASH;

    /** Of a hash: the last one is a sign that says how many bytes there are. */
    static final int BASE64_CHARS = 44;

    private static final byte[] DIGITS = digits("0123456789abcdef");
    private static final byte[] SIXTY_FOUR = digits("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    private final LogHasher hasher;
    private Optional<SubtreeStack> row = Optional.empty();
    private int size;
    private long[] positions;
    private long[] seqs;
    private String[] runs;
    private String[] types;
    private boolean[] logged;
    private boolean[] begins;
    /** What acts among them have deleted; of most events nothing. */
    private final Map<Integer, Positions> deletions = new HashMap<>();

    private byte[] hashes;

    /** With room for some events; it grows. */
    HashedEvents(LogHasher hasher, int room) {
        this.hasher = hasher;
        this.positions = new long[room];
        this.seqs = new long[room];
        this.runs = new String[room];
        this.types = new String[room];
        this.logged = new boolean[room];
        this.begins = new boolean[room];
        this.hashes = new byte[room * HASHES];
    }

    /** One event; empty when it has no content, or not the hash of the event before it. */
    static Optional<HashedEvents> of(ExportLine.Event line, LogHasher hasher) {
        HashedEvents events = new HashedEvents(hasher, 1);
        Optional<byte[]> payload = payload(line);
        byte[] previous = line.previousHash().getBytes(StandardCharsets.UTF_8);
        if (payload.isEmpty() || previous.length != 2 * HASH || !events.previous(previous, 0)) {
            return Optional.empty();
        }
        line.leaf().flatMap(HashedEvents::hash).ifPresent(events::logged);
        events.add(
                line.position(),
                line.run().value(),
                line.seq(),
                line.type(),
                line.version(),
                payload.get(),
                payload.get().length);
        return Optional.of(events);
    }

    private static Optional<byte[]> payload(ExportLine.Event line) {
        try {
            return line.payload()
                    .map(text -> text.getBytes(StandardCharsets.UTF_8))
                    .or(() -> line.payloadBytes().map(Base64.getDecoder()::decode));
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    /** A hash in base64; empty when it is none. */
    static Optional<byte[]> hash(String text) {
        try {
            return Optional.of(Base64.getDecoder().decode(text)).filter(bytes -> bytes.length == HASH);
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    // ---- the next event: first its hashes, then the rest

    /** Takes the hash of the event before the next one, in hexadecimal digits; whether these are such. */
    boolean previous(byte[] text, int from) {
        // Of a line that was none in the end, something may be left.
        logged[size] = false;
        int to = size * HASHES + PREVIOUS;
        int all = 0;
        for (int at = 0; at < HASH; at++) {
            int both = DIGITS[text[from + 2 * at] & 0xff] << 4 | DIGITS[text[from + 2 * at + 1] & 0xff];
            all |= both;
            hashes[to + at] = (byte) both;
        }
        return all >= 0;
    }

    /** The values of letters as digits; negative for those that are none. */
    private static byte[] digits(String digits) {
        byte[] values = new byte[256];
        Arrays.fill(values, (byte) -1);
        for (int value = 0; value < digits.length(); value++) {
            values[digits.charAt(value)] = (byte) value;
        }
        return values;
    }

    /** Takes the hash that the log has at the position of the next event, in base64; whether it is such. */
    boolean logged(byte[] text, int from) {
        int to = size * HASHES + LOGGED;
        int all = 0;
        for (int at = 0; at < HASH - 2; at += 3) {
            int letter = from + at / 3 * 4;
            int three = SIXTY_FOUR[text[letter] & 0xff] << 18
                    | SIXTY_FOUR[text[letter + 1] & 0xff] << 12
                    | SIXTY_FOUR[text[letter + 2] & 0xff] << 6
                    | SIXTY_FOUR[text[letter + 3] & 0xff];
            all |= three;
            hashes[to + at] = (byte) (three >> 16);
            hashes[to + at + 1] = (byte) (three >> 8);
            hashes[to + at + 2] = (byte) three;
        }
        int last = SIXTY_FOUR[text[from + 40] & 0xff] << 10
                | SIXTY_FOUR[text[from + 41] & 0xff] << 4
                | SIXTY_FOUR[text[from + 42] & 0xff] >> 2;
        hashes[to + HASH - 2] = (byte) (last >> 8);
        hashes[to + HASH - 1] = (byte) last;
        logged[size] = true;
        return (all | last) >= 0 && text[from + BASE64_CHARS - 1] == '=';
    }

    /** Takes the hash that the log has at the position of the next event. */
    void logged(byte[] hash) {
        System.arraycopy(hash, 0, hashes, size * HASHES + LOGGED, HASH);
        logged[size] = true;
    }

    /** Adds the event, and computes its hashes. */
    void add(long position, String run, long seq, String type, int version, byte[] payload, int length) {
        int at = size * HASHES;
        byte[] id = run.getBytes(StandardCharsets.UTF_8);
        positions[size] = position;
        seqs[size] = seq;
        runs[size] = run;
        types[size] = type;
        hasher.event(hashes, at, type.getBytes(StandardCharsets.UTF_8), version, payload, length);
        hasher.leaf(id, seq, hashes, at + OWN);
        int act = size;
        Positions.deletedBy(run, type, payload, length).ifPresent(deleted -> deletions.put(act, deleted));
        begins[size] = seq == 1 && LogHasher.equal(hashes, at + PREVIOUS, hasher.genesis(id), 0);
        size++;
        if (size == positions.length) {
            grow(2 * size);
        }
    }

    private void grow(int room) {
        positions = Arrays.copyOf(positions, room);
        seqs = Arrays.copyOf(seqs, room);
        runs = Arrays.copyOf(runs, room);
        types = Arrays.copyOf(types, room);
        logged = Arrays.copyOf(logged, room);
        begins = Arrays.copyOf(begins, room);
        hashes = Arrays.copyOf(hashes, room * HASHES);
    }

    /** Joins the leaves that the log has here, when the events' positions are a row without gaps. */
    void row() {
        SubtreeStack subtrees = new SubtreeStack(positions[0], hasher);
        for (int at = 0; at < size; at++) {
            if (!logged[at] || positions[at] != positions[0] + at) {
                return;
            }
            subtrees.push(1, hashes, at * HASHES + LOGGED);
        }
        row = Optional.of(subtrees);
    }

    // ---- what they are

    int size() {
        return size;
    }

    /** The subtrees of the log over all of these events; empty when their positions are no row. */
    Optional<SubtreeStack> subtrees() {
        return row;
    }

    long position(int at) {
        return positions[at];
    }

    String run(int at) {
        return runs[at];
    }

    long seq(int at) {
        return seqs[at];
    }

    String type(int at) {
        return types[at];
    }

    /** Whether the line has the hash that the log has at the event's position. */
    boolean isLogged(int at) {
        return logged[at];
    }

    /** Whether the event is what the log has at its position. */
    boolean isAsLogged(int at) {
        return logged[at] && LogHasher.equal(hashes, at * HASHES + LEAF, hashes, at * HASHES + LOGGED);
    }

    /** Whether it is the first event of its run, and has the hash that stands before those. */
    boolean begins(int at) {
        return begins[at];
    }

    /** Whether it has this hash of the event before it. */
    boolean follows(int at, byte[] hash) {
        return LogHasher.equal(hashes, at * HASHES + PREVIOUS, hash, 0);
    }

    /** What it has deleted, if it is such an act. */
    Optional<Positions> deletion(int at) {
        return deletions.isEmpty() ? Optional.empty() : Optional.ofNullable(deletions.get(at));
    }

    byte[] hash(int at) {
        return column(at, OWN);
    }

    /** The hash of the event's leaf. */
    byte[] leaf(int at) {
        return column(at, LEAF);
    }

    /** The hash that the log has at the event's position. */
    byte[] loggedLeaf(int at) {
        return column(at, LOGGED);
    }

    private byte[] column(int at, int column) {
        return Arrays.copyOfRange(hashes, at * HASHES + column, at * HASHES + column + HASH);
    }
}
