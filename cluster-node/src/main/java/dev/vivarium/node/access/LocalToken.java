package dev.vivarium.node.access;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.secrets.TokenSeal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The token of the operator on this machine: a file that only its owner can read. Whoever can read it acts as the operator,
 * over the loopback interface; to other users of the machine the node is closed. Nodes with the same home share the file.
 * It is not the store's, so the operator is known even when the store is away.
 */
public final class LocalToken {
    private static final int FILE_BYTES_MAX = 4_096;
    /** Its owner is the user of this process. */
    private static final Path SELF = Path.of("/proc/self");

    private static final Set<PosixFilePermission> OTHERS = EnumSet.complementOf(EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE));

    private final byte[] token;
    private final Origin origin;

    /** Where the token is from. */
    private enum Origin {
        /** This start has made it. */
        NEW,
        /** It was there before. */
        KEPT
    }

    private LocalToken(String token, Origin origin) {
        this.token = token.getBytes(StandardCharsets.US_ASCII);
        this.origin = origin;
    }

    /**
     * Reads the token, or makes one where there is no file.
     *
     * @throws NodeStartException with a sentence for the operator when that cannot be done, or others can know the token
     */
    public static LocalToken in(Path file, TokenSeal seal) throws NodeStartException {
        try {
            if (Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
                return made(file, seal);
            }
            return read(file);
        } catch (IOException failed) {
            throw new NodeStartException(
                    "The token of this machine's operator cannot be kept in " + file + ": " + failed.getMessage(),
                    failed);
        }
    }

    private static LocalToken made(Path file, TokenSeal seal) throws IOException, NodeStartException {
        String token = seal.mint(TokenSeal.Form.VIV).text();
        Files.createDirectories(folder(file));
        try {
            DurableFiles.create(file, (token + "\n").getBytes(StandardCharsets.US_ASCII), DurableFiles.OWNER_ONLY);
            return new LocalToken(token, Origin.NEW);
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // Another node with this home was faster, and its token is everyone's.
            return read(file);
        }
    }

    private static Path folder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IOException(file + " is no file in a folder");
        }
        return folder;
    }

    private static LocalToken read(Path file) throws IOException, NodeStartException {
        PosixFileAttributes attributes =
                Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isRegularFile()) {
            throw new NodeStartException(
                    file + " is no plain file, and the token of this machine's operator must be one:"
                            + " remove it, and the node makes another one.");
        }
        if (!attributes.owner().equals(Files.getOwner(SELF))
                && !attributes.owner().equals(Files.getOwner(folder(file)))) {
            throw new NodeStartException(
                    file + " is " + attributes.owner() + "'s, neither yours nor that of its folder's"
                            + " owner, and who has made it knows the token: remove the file, and the node makes another one.");
        }
        if (attributes.permissions().stream().anyMatch(OTHERS::contains)) {
            throw new NodeStartException("Others than its owner can use " + file
                    + ", and with it they can use this node:" + " remove the file, and the node makes another one.");
        }
        String token = new String(DurableFiles.read(file, FILE_BYTES_MAX), StandardCharsets.US_ASCII).strip();
        if (!TokenSeal.isWhole(token)) {
            throw new NodeStartException(file + " holds no token: remove it, and the node makes another one.");
        }
        return new LocalToken(token, Origin.KEPT);
    }

    /** Whether a presented text is this token, in a time that does not depend on where they differ. */
    boolean matches(String presented) {
        return MessageDigest.isEqual(token, presented.getBytes(StandardCharsets.US_ASCII));
    }

    /** The token itself, if this start has made it. */
    public Optional<String> newText() {
        return origin == Origin.NEW ? Optional.of(new String(token, StandardCharsets.US_ASCII)) : Optional.empty();
    }
}
