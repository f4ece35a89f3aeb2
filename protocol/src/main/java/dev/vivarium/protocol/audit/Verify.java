package dev.vivarium.protocol.audit;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Proves a run's history to somebody who trusts nobody but the log's key. It needs a Java 17 and nothing else, not even
 * the rest of Vivarium:
 *
 * <pre>java Verify.java PROOF KEY</pre>
 *
 * <p>PROOF is the file that {@code GET /v1/runs/{id}/proof} answers. KEY is the log's verifier key, {@code
 * name+hash+base64}, or a file with one on each line: take it from the operator, and never from the file that it should
 * prove. It exits with 0 when every event of the file is in the log as it was written, with 1 when not, and then says
 * which event is not, and with 2 when it was called wrongly.
 *
 * <p>What it checks: the signature of the checkpoint (C2SP signed-note and tlog-checkpoint, Ed25519); that each event is
 * the leaf at its position in the tree of the checkpoint (RFC 9162, section 2.1.3.2); that the events are the run's from
 * the first on without a gap; and that each holds the hash of the one before. What no file can show: that the run had no
 * further events, unless the last one is an end; and that the signer shows the same log to others, for which they compare
 * checkpoints.
 *
 * <p>A proof is text. Hashes are 32 bytes in base64; sections end with an empty line:
 *
 * <pre>
 * vivarium.dev/run-proof@v1
 * run ID
 * event SEQ POSITION TYPE VERSION PREVIOUS PAYLOAD
 * HASH
 * ...
 *
 * CHECKPOINT
 * </pre>
 *
 * <p>TYPE is percent-encoded, PREVIOUS is the hash of the event before and PAYLOAD is the event's JSON, both in base64; the
 * hashes after an event are its inclusion proof. {@code missing SEQ POSITION} stands for an event that the node knows
 * of and does not have; an event's POSITION is {@code -} when the node does not know of one.
 */
public final class Verify {
    /** The first line of a proof. */
    public static final String FORMAT = "vivarium.dev/run-proof@v1";

    private static final Set<String> ENDS =
            Set.of("RunSucceeded", "RunFailed", "RunNotStarted", "RunKilled", "RunCancelled", "RunLost");
    private static final int EXCHANGED_MAX = 100;
    private static final int NOTE_CHARS_MAX = 1 << 20;
    private static final int SIGNATURES_MAX = 100;
    private static final int HASH_BYTES = 32;
    private static final byte ED25519 = 1;
    /** What precedes the 32 bytes of a public key in its X.509 form (RFC 8410). */
    private static final MessageDigest SHA256 = newSha256();

    private static final byte[] X509 = HexFormat.of().parseHex("302a300506032b6570032100");

    private Verify() {}

    /** Checks a proof; see the class. */
    public static void main(String... arguments) {
        if (arguments.length != 2) {
            System.err.println("Usage: java Verify.java PROOF KEY");
            System.exit(2);
        }
        Report report;
        try {
            Path key = Path.of(arguments[1]);
            String keys = arguments[1].contains("+") && !Files.exists(key) ? arguments[1] : Files.readString(key);
            report = check(Files.readString(Path.of(arguments[0])), keys);
        } catch (IOException unreadable) {
            System.err.println("It cannot be read: " + unreadable.getMessage());
            System.exit(2);
            return;
        }
        report.print(System.out);
        System.exit(report.verdict() == Verdict.PROVEN ? 0 : 1);
    }

    /** The outcome of a check. */
    public enum Verdict {
        PROVEN,
        NOT_PROVEN
    }

    /** The outcome with sentences about it. */
    public record Report(Verdict verdict, List<String> sentences) {
        public Report {
            sentences = List.copyOf(sentences);
        }

        /** Prints it. */
        public void print(PrintStream out) {
            out.println(verdict == Verdict.PROVEN ? "PROVEN" : "NOT PROVEN");
            sentences.forEach(out::println);
        }
    }

    /** What is checked is not what it should be. The message is a sentence for whoever checks. */
    public static final class Refused extends RuntimeException {
        /** With the sentence. */
        public Refused(String message) {
            super(message);
        }
    }

    /** An event of a proof; its leaf is absent when the node does not have it, its position when it has none. */
    private record Event(long seq, Optional<Long> position, String type, Optional<Leaf> leaf, List<byte[]> path) {
        String name() {
            return "Event " + seq + " (" + type
                    + position.map(at -> ", position " + at).orElse("") + ")";
        }
    }

    /** What an event adds to the log; the hashes in hexadecimal. */
    private record Leaf(String previous, String hash, String payload) {
        static Leaf of(byte[] previous, byte[] hash, byte[] payload) {
            return new Leaf(hex(previous), hex(hash), new String(payload, StandardCharsets.UTF_8));
        }
    }

    /**
     * Checks a proof.
     *
     * @param proof its text
     * @param keys verifier keys, one a line
     */
    public static Report check(String proof, String keys) {
        try {
            return check(proof, Key.parse(keys));
        } catch (Refused refused) {
            return refused(refused);
        }
    }

    /** Checks a proof by these verifier keys. */
    public static Report check(String proof, List<Key> keys) {
        try {
            return checked(proof, keys);
        } catch (Refused refused) {
            return refused(refused);
        }
    }

    private static Report refused(Refused refused) {
        return new Report(Verdict.NOT_PROVEN, List.of(String.valueOf(refused.getMessage())));
    }

    private static Report checked(String proof, List<Key> keys) {
        int end = proof.indexOf("\n\n");
        if (!proof.startsWith(FORMAT + "\n") || end < 0) {
            throw new Refused("This is no proof of a run, or its end is cut off.");
        }
        List<String> lines = List.of(proof.substring(0, end).split("\n", -1));
        Checkpoint checkpoint = Checkpoint.open(proof.substring(end + 2), keys);
        if (lines.size() < 2 || !lines.get(1).matches("run [0-9a-hjkmnp-tv-z]{26}")) {
            throw new Refused("The proof names no run.");
        }
        String run = lines.get(1).substring("run ".length());
        List<Event> events = events(lines);
        List<String> faults = faults(run, events, checkpoint);
        if (!faults.isEmpty()) {
            return new Report(Verdict.NOT_PROVEN, faults);
        }
        Event last = events.get(events.size() - 1);
        List<String> story = new ArrayList<>();
        story.add("Run " + run + ", events 1 to " + last.seq() + ", as they were written:");
        for (Event event : events) {
            story.add("  " + event.seq() + "  position " + event.position().orElseThrow() + "  "
                    + printable(event.leaf().orElseThrow().payload()));
        }
        story.add(
                isEnd(last.type())
                        ? "The last one ends the run: there are no others."
                        : "The run had not ended: there may be later events.");
        story.add("Log " + checkpoint.origin() + ", " + checkpoint.size() + " events, root "
                + checkpoint.root() + ", signed by "
                + String.join(" and ", checkpoint.signers()) + ".");
        return new Report(Verdict.PROVEN, story);
    }

    private static List<Event> events(List<String> lines) {
        List<Event> events = new ArrayList<>();
        for (int at = 2; at < lines.size(); at++) {
            String[] words = lines.get(at).split(" ", -1);
            try {
                if (words[0].equals("event") && words.length == 7) {
                    byte[] previous = hash(words[5]);
                    byte[] payload = Base64.getDecoder().decode(words[6]);
                    String type = URLDecoder.decode(words[3], StandardCharsets.UTF_8);
                    Leaf leaf =
                            Leaf.of(previous, eventHash(previous, type, Integer.parseInt(words[4]), payload), payload);
                    events.add(new Event(
                            number(words[1]),
                            words[2].equals("-") ? Optional.empty() : Optional.of(number(words[2])),
                            printable(type),
                            Optional.of(leaf),
                            new ArrayList<>()));
                } else if (words[0].equals("missing") && words.length == 3) {
                    events.add(new Event(
                            number(words[1]),
                            Optional.of(number(words[2])),
                            "missing",
                            Optional.empty(),
                            new ArrayList<>()));
                } else {
                    events.get(events.size() - 1).path().add(hash(lines.get(at)));
                }
            } catch (IllegalArgumentException | IndexOutOfBoundsException malformed) {
                throw new Refused("Line " + (at + 1) + " of the proof is damaged.");
            }
        }
        if (events.isEmpty()) {
            throw new Refused("The proof has no events.");
        }
        return events;
    }

    /** What is wrong with the events, the first fault first. */
    private static List<String> faults(String run, List<Event> events, Checkpoint checkpoint) {
        List<String> faults = new ArrayList<>();
        List<Event> changed = new ArrayList<>();
        long expected = 1;
        long lastPosition = -1;
        String head = hex(genesis(run));
        for (Event event : events) {
            if (event.seq() > expected) {
                faults.add(
                        event.seq() == expected + 1
                                ? "Event " + expected + " was removed: the proof goes on with event " + event.seq()
                                        + "."
                                : "Events " + expected + " to " + (event.seq() - 1)
                                        + " were removed: the proof goes on with event " + event.seq() + ".");
            } else if (event.seq() < expected) {
                faults.add(event.name() + " is not in its place: it comes after event " + (expected - 1) + ".");
            }
            expected = event.seq() + 1;
            if (event.position().isEmpty()) {
                faults.add(event.name() + " was inserted: the log has no position for it.");
                continue;
            }
            long position = event.position().get();
            if (event.leaf().isEmpty()) {
                faults.add("Event " + event.seq() + " was removed: the log has it at position " + position
                        + ", and the journal has it no more.");
                continue;
            }
            Leaf leaf = event.leaf().get();
            if (position <= lastPosition) {
                faults.add(event.name() + " is not in its place: an earlier event has position " + lastPosition + ".");
            }
            lastPosition = position;
            if (!isIn(run, event.seq(), leaf.hash(), position, event.path(), checkpoint)) {
                changed.add(event);
            } else if (changed.isEmpty() && faults.isEmpty() && !leaf.previous().equals(head)) {
                faults.add(event.name() + " does not follow from the event before it.");
            }
            head = leaf.hash();
        }
        changed.forEach(event -> faults.add(reason(run, event, changed, checkpoint)));
        return faults;
    }

    private static boolean isIn(
            String run, long seq, String hash, long position, List<byte[]> path, Checkpoint checkpoint) {
        return rootOf(
                        position,
                        checkpoint.size(),
                        leafHash(leaf(run, seq, HexFormat.of().parseHex(hash))),
                        path)
                .map(root -> Base64.getEncoder().encodeToString(root).equals(checkpoint.root()))
                .orElse(false);
    }

    private static String reason(String run, Event event, List<Event> changed, Checkpoint checkpoint) {
        long position = event.position().orElseThrow();
        if (position >= checkpoint.size()) {
            return event.name() + " is not proven: the checkpoint has " + checkpoint.size() + " events.";
        }
        String hash = event.leaf().orElseThrow().hash();
        for (Event other : changed.subList(0, Math.min(changed.size(), EXCHANGED_MAX))) {
            if (!other.equals(event)
                    && isIn(run, other.seq(), hash, other.position().orElseThrow(), other.path(), checkpoint)) {
                return event.name() + " was moved: it was written as event " + other.seq() + ", at position "
                        + other.position().orElseThrow() + ".";
            }
        }
        return event.name() + " was changed: it is not what the log has at position " + position + ".";
    }

    // ---- the log's entries

    /** Whether an event of this name ends its run. */
    public static boolean isEnd(String type) {
        return ENDS.contains(type);
    }

    /** The hash before a run's first event. */
    public static byte[] genesis(String run) {
        return sha256(("vivarium.run:" + run).getBytes(StandardCharsets.UTF_8));
    }

    /** An event's hash: over the hash of the event before, type, version and payload, each after its length. */
    public static byte[] eventHash(byte[] previous, String type, int version, byte[] payload) {
        byte[] name = type.getBytes(StandardCharsets.UTF_8);
        MessageDigest digest = sha256();
        digest.update(ByteBuffer.allocate(5 * Integer.BYTES + previous.length + name.length)
                .putInt(previous.length)
                .put(previous)
                .putInt(name.length)
                .put(name)
                .putInt(Integer.BYTES)
                .putInt(version)
                .putInt(payload.length)
                .array());
        return digest.digest(payload);
    }

    /** What the log has of an event: the line {@code vivarium.event/1}, run, number in eight bytes, hash. */
    public static byte[] leaf(String run, long seq, byte[] hash) {
        byte[] start = ("vivarium.event/1\n" + run).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(start.length + Long.BYTES + hash.length)
                .put(start)
                .putLong(seq)
                .put(hash)
                .array();
    }

    // ---- the tree (RFC 9162, section 2.1)

    /** The hash of a leaf. */
    public static byte[] leafHash(byte[] leaf) {
        MessageDigest digest = sha256();
        digest.update((byte) 0);
        return digest.digest(leaf);
    }

    /** The hash of an inner node. */
    public static byte[] nodeHash(byte[] left, byte[] right) {
        MessageDigest digest = sha256();
        digest.update((byte) 1);
        digest.update(left);
        return digest.digest(right);
    }

    /** The root that an inclusion proof leads to; empty when the proof has not the length that it must have. */
    public static Optional<byte[]> rootOf(long index, long size, byte[] leafHash, List<byte[]> path) {
        if (index < 0 || index >= size || leafHash.length != HASH_BYTES) {
            return Optional.empty();
        }
        long at = index;
        long last = size - 1;
        byte[] root = leafHash;
        for (byte[] sibling : path) {
            if (last == 0) {
                return Optional.empty();
            }
            if ((at & 1) == 1 || at == last) {
                root = nodeHash(sibling, root);
                while ((at & 1) == 0 && at != 0) {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                root = nodeHash(root, sibling);
            }
            at >>= 1;
            last >>= 1;
        }
        return last == 0 ? Optional.of(root) : Optional.empty();
    }

    /** Whether a tree of the second size begins with the tree of the first (RFC 9162, section 2.1.4.2). Of an empty tree nothing is proven. */
    public static boolean isConsistent(long size1, byte[] root1, long size2, byte[] root2, List<byte[]> proof) {
        if (size1 < 1 || size1 > size2) {
            return false;
        }
        if (size1 == size2) {
            return proof.isEmpty() && Arrays.equals(root1, root2);
        }
        List<byte[]> hashes = new ArrayList<>(proof);
        if (Long.bitCount(size1) == 1) {
            hashes.add(0, root1);
        }
        if (hashes.isEmpty()) {
            return false;
        }
        long at = size1 - 1;
        long last = size2 - 1;
        while ((at & 1) == 1) {
            at >>= 1;
            last >>= 1;
        }
        byte[] first = hashes.get(0);
        byte[] second = first;
        for (byte[] hash : hashes.subList(1, hashes.size())) {
            if (last == 0) {
                return false;
            }
            if ((at & 1) == 1 || at == last) {
                first = nodeHash(hash, first);
                second = nodeHash(hash, second);
                while ((at & 1) == 0 && at != 0) {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                second = nodeHash(second, hash);
            }
            at >>= 1;
            last >>= 1;
        }
        return last == 0 && Arrays.equals(first, root1) && Arrays.equals(second, root2);
    }

    // ---- the checkpoint (C2SP signed-note, tlog-checkpoint)

    /**
     * A verifier key: {@code name+hash+base64}.
     *
     * @param id the first four bytes of a hash over name and key
     */
    public record Key(String name, int id, PublicKey key) {
        /** Reads keys, one a line; empty lines and lines that begin with # are none. */
        public static List<Key> parse(String text) {
            List<Key> keys = text.lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(Key::of)
                    .toList();
            if (keys.isEmpty()) {
                throw new Refused("There is no verifier key.");
            }
            return keys;
        }

        /** Reads one key. */
        public static Key of(String text) {
            String[] parts = text.split("\\+", 3);
            // A key that signs is a secret, which nobody should read on a terminal.
            Refused refused =
                    new Refused((text.startsWith("PRIVATE+KEY+") ? "A key that signs" : "'" + printable(text) + "'")
                            + " is no verifier key of an Ed25519 key (name+hash+base64).");
            if (parts.length != 3 || !isName(parts[0]) || !parts[1].matches("[0-9a-f]{8}")) {
                throw refused;
            }
            try {
                byte[] typed = Base64.getDecoder().decode(parts[2]);
                if (typed.length != 33
                        || typed[0] != ED25519
                        || !Base64.getEncoder().encodeToString(typed).equals(parts[2])
                        || id(parts[0], typed) != Integer.parseUnsignedInt(parts[1], 16)) {
                    throw refused;
                }
                return new Key(parts[0], id(parts[0], typed), publicKey(Arrays.copyOfRange(typed, 1, typed.length)));
            } catch (IllegalArgumentException | GeneralSecurityException malformed) {
                throw refused;
            }
        }

        /** The id of a key with this name. */
        public static int id(String name, byte[] typedKey) {
            MessageDigest digest = sha256();
            digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest.digest(typedKey)).getInt();
        }

        /** Whether a key may have this name. */
        public static boolean isName(String name) {
            return !name.isEmpty()
                    && name.chars()
                            .noneMatch(
                                    c -> c == '+' || c < ' ' || Character.isWhitespace(c) || Character.isSpaceChar(c));
        }

        private static PublicKey publicKey(byte[] raw) throws GeneralSecurityException {
            byte[] encoded = Arrays.copyOf(X509, X509.length + raw.length);
            System.arraycopy(raw, 0, encoded, X509.length, raw.length);
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        }

        boolean signed(byte[] text, byte[] signature) {
            try {
                Signature verifier = Signature.getInstance("Ed25519");
                verifier.initVerify(key);
                verifier.update(text);
                return verifier.verify(signature);
            } catch (GeneralSecurityException malformed) {
                return false;
            }
        }
    }

    /**
     * A text that somebody signed.
     *
     * @param signers the given keys that have signed it, at least one, as name+hash
     */
    public record Note(String text, List<Key> signers) {
        public Note {
            signers = List.copyOf(signers);
        }

        /** Reads a note; all signatures by the given keys must be good, and at least one must be there. */
        public static Note open(String note, List<Key> keys) {
            int split = note.lastIndexOf("\n\n");
            if (split < 0
                    || note.length() > NOTE_CHARS_MAX
                    || !note.endsWith("\n")
                    || split + 2 >= note.length()
                    || !isClean(note)) {
                throw malformed();
            }
            String text = note.substring(0, split + 1);
            List<String> lines =
                    List.of(note.substring(split + 2, note.length() - 1).split("\n", -1));
            if (lines.size() > SIGNATURES_MAX) {
                throw malformed();
            }
            List<Key> signers = new ArrayList<>();
            for (String line : lines) {
                String[] words = line.split(" ", -1);
                byte[] signature = signature(words);
                int id = ByteBuffer.wrap(signature).getInt();
                for (Key key : keys) {
                    if (key.name().equals(words[1]) && key.id() == id && !signers.contains(key)) {
                        if (!key.signed(
                                text.getBytes(StandardCharsets.UTF_8),
                                Arrays.copyOfRange(signature, 4, signature.length))) {
                            throw new Refused("The checkpoint is not what " + key.name() + " has signed.");
                        }
                        signers.add(key);
                    }
                }
            }
            if (signers.isEmpty()) {
                throw new Refused("The checkpoint is signed by "
                        + String.join(
                                ", ",
                                lines.stream()
                                        .map(line -> line.split(" ", -1)[1])
                                        .toList())
                        + ", and by none of the given keys. Another log, or a key that was replaced?");
            }
            return new Note(text, signers);
        }

        private static byte[] signature(String[] words) {
            try {
                byte[] signature = words.length == 3 && words[0].equals("\u2014") && Key.isName(words[1])
                        ? Base64.getDecoder().decode(words[2])
                        : new byte[0];
                if (signature.length > 4) {
                    return signature;
                }
            } catch (IllegalArgumentException notBase64) {
                // As any other line that is no signature.
            }
            throw malformed();
        }

        private static boolean isClean(String note) {
            try {
                StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(note));
            } catch (CharacterCodingException notUnicode) {
                return false;
            }
            return note.chars().allMatch(c -> (c >= ' ' || c == '\n') && c != '\uFFFD');
        }

        private static Refused malformed() {
            return new Refused("The checkpoint is no signed note, or its end is cut off.");
        }
    }

    /**
     * The state of a log that its key has signed.
     *
     * @param origin the log's name
     * @param size how many events it has
     * @param root the tree's root over them, in base64
     * @param signers the keys that have signed, as name+hash
     */
    public record Checkpoint(String origin, long size, String root, List<String> signers) {
        public Checkpoint {
            signers = List.copyOf(signers);
        }

        /** Reads a checkpoint that one of the keys has signed under the log's name. */
        public static Checkpoint open(String note, List<Key> keys) {
            Note opened = Note.open(note, keys);
            List<String> lines = List.of(opened.text().split("\n", -1));
            try {
                if (lines.size() < 4 || lines.get(0).isEmpty()) {
                    throw new IllegalArgumentException("too short");
                }
                if (opened.signers().stream().noneMatch(key -> key.name().equals(lines.get(0)))) {
                    throw new Refused("The checkpoint is of the log " + lines.get(0) + ", and signed by the key of "
                            + opened.signers().get(0).name() + ".");
                }
                return new Checkpoint(
                        lines.get(0),
                        number(lines.get(1)),
                        Base64.getEncoder().encodeToString(hash(lines.get(2))),
                        opened.signers().stream()
                                .map(key -> key.name() + "+" + HexFormat.of().toHexDigits(key.id()))
                                .toList());
            } catch (IllegalArgumentException malformed) {
                throw new Refused("The signed note is no checkpoint of a log.");
            }
        }
    }

    // ---- text

    private static long number(String text) {
        if (!text.matches("0|[1-9][0-9]{0,17}")) {
            throw new IllegalArgumentException("no number");
        }
        return Long.parseLong(text);
    }

    private static byte[] hash(String text) {
        byte[] hash = Base64.getDecoder().decode(text);
        if (hash.length != HASH_BYTES) {
            throw new IllegalArgumentException("no hash");
        }
        return hash;
    }

    /** Events hold what agents chose: nothing of it may reach a terminal as more than text. */
    private static String printable(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints()
                .forEach(c -> out.append(
                        c >= ' ' && c < 0x7f ? Character.toString(c) : "\\u{" + Integer.toHexString(c) + "}"));
        return out.toString();
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static byte[] sha256(byte[] bytes) {
        return sha256().digest(bytes);
    }

    /** A copy of a new digest costs a fraction of a look for the algorithm. */
    private static MessageDigest sha256() {
        try {
            return (MessageDigest) SHA256.clone();
        } catch (CloneNotSupportedException unusual) {
            return newSha256();
        }
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java has SHA-256.", missing);
        }
    }
}
