package dev.vivarium.persistence.audit.tlog;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.protocol.audit.Verify;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * The keys of a log, from a file outside of the store that only its owner may read. Each line is a key that signs, or a
 * verifier key that once did; the first one names the log. All keys with that name sign, so a key is replaced by putting
 * a new one first, and removing the old one once everybody has the new verifier key. A first key with another name is
 * another log: with it an operator declares that the history before may be another one than was shown.
 *
 * @param signers the keys that sign, at least one, all of one name
 * @param verifiers all keys' verifier keys
 */
public record LogKeys(List<LogKey> signers, List<Verify.Key> verifiers) {
    private static final int FILE_BYTES_MAX = 64 << 10;

    public LogKeys {
        signers = List.copyOf(signers);
        verifiers = List.copyOf(verifiers);
    }

    /**
     * Reads the file.
     *
     * @throws IOException with a sentence for the operator, also when others may read it
     */
    public static LogKeys read(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!DurableFiles.OWNER_ONLY.containsAll(permissions)) {
            throw new IOException("The key of the audit's log, " + file
                    + ", can be read by others than its owner: run chmod 600 on it.");
        }
        try {
            return parse(new String(DurableFiles.read(file, FILE_BYTES_MAX), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException | Verify.Refused malformed) {
            throw new IOException("The key of the audit's log, " + file + ", is damaged: " + malformed.getMessage());
        }
    }

    static LogKeys parse(String text) {
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
                verifiers.add(Verify.Key.of(line));
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

    /** Puts a new key first into the file, which is created when it is missing. */
    public static LogKey add(Path file, String name) throws IOException {
        LogKey key = LogKey.create(name);
        String earlier = "";
        if (Files.exists(file)) {
            read(file);
            earlier = Files.readString(file);
        }
        DurableFiles.write(
                file, (key.text() + "\n" + earlier).getBytes(StandardCharsets.UTF_8), DurableFiles.OWNER_ONLY);
        return key;
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
