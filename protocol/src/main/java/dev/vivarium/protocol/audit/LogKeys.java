package dev.vivarium.protocol.audit;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The keys of a log, as the lines of a file outside of the store that only its owner may read. Each line is a key that signs, or a
 * verifier key that once did; the first one names the log. All keys with that name sign, so a key is replaced by putting
 * a new one first, and removing the old one once everybody has the new verifier key. A first key with another name is
 * another log: with it an operator declares that the history before may be another one than was shown.
 *
 * @param signers the keys that sign, at least one, all of one name
 * @param verifiers all keys' verifier keys
 */
public record LogKeys(List<LogKey> signers, List<Verify.Key> verifiers) {
    public LogKeys {
        signers = List.copyOf(signers);
        verifiers = List.copyOf(verifiers);
    }

    /**
     * Reads the lines of a file of keys.
     *
     * @throws IllegalArgumentException with a sentence that has nothing secret of the text
     */
    public static LogKeys parse(String text) {
        List<LogKey> signers = new ArrayList<>();
        List<Verify.Key> verifiers = new ArrayList<>();
        for (String line : lines(text)) {
            if (LogKey.isSecret(line)) {
                LogKey key = LogKey.parse(line);
                verifiers.add(Verify.Key.of(key.verifier()));
                if (signers.isEmpty() || signers.get(0).name().equals(key.name())) {
                    signers.add(key);
                }
            } else {
                verifiers.add(verifier(line));
            }
        }
        if (signers.isEmpty()) {
            throw new IllegalArgumentException("It has no key that signs.");
        }
        return new LogKeys(signers, verifiers);
    }

    private static List<String> lines(String text) {
        return text.lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
    }

    private static Verify.Key verifier(String line) {
        try {
            return Verify.Key.of(line);
        } catch (Verify.Refused malformed) {
            // Without the line, which may be a key that signs and was damaged.
            throw new IllegalArgumentException("A line is neither a key that signs nor a verifier key.");
        }
    }

    /** The log's name. */
    public String origin() {
        return signers.get(0).name();
    }

    /** A checkpoint, signed by all keys that sign. */
    public String sign(long size, byte[] root) {
        String text = origin() + "\n" + size + "\n" + Base64.getEncoder().encodeToString(root) + "\n";
        StringBuilder note = new StringBuilder(text).append('\n');
        signers.forEach(key -> note.append(key.signature(text)));
        return note.toString();
    }

    /** Reads a checkpoint of any of the keys. */
    public Verify.Checkpoint open(String note) {
        return Verify.Checkpoint.open(note, verifiers);
    }
}
