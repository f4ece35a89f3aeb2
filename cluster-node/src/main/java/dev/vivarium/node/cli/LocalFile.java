package dev.vivarium.node.cli;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.util.EnumSet;
import java.util.Set;

/**
 * A file of this machine named by an option. Problems with it are reported as a {@link UserError} that names the option.
 *
 * @param path its path
 * @param option the option, as the user wrote it
 */
record LocalFile(Path path, String option) {
    private static final int PIECE_BYTES = 1 << 16;

    /** One step of reading the file. */
    private interface Reading<T> {
        T read() throws IOException;
    }

    /** The content of a file that fits into memory. */
    byte[] content(long bytesMax) {
        return checked(() -> {
            if (Files.size(path) > bytesMax) {
                throw new UserError(
                        ExitCode.REFUSED,
                        option + ": " + path + " is too large (more than " + (bytesMax >> 20) + " MiB).");
            }
            return Files.readAllBytes(path);
        });
    }

    long bytes() {
        return checked(() -> Files.size(path));
    }

    /** The digest of the content, which is read piece by piece. */
    Digest digest() {
        return checked(() -> {
            MessageDigest sha256 = Digest.newSha256();
            byte[] piece = new byte[PIECE_BYTES];
            try (InputStream in = Files.newInputStream(path)) {
                for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                    sha256.update(piece, 0, count);
                }
            }
            return Digest.ofDigestBytes(sha256.digest());
        });
    }

    /** Its permissions; without support by the file system, derived from its content. */
    FileMode mode(Blob beginning) {
        return checked(() -> Files.getFileStore(path).supportsFileAttributeView("posix")
                ? permissions(path)
                : FileMode.ofContent(beginning));
    }

    /** The permissions of a file or folder; empty if its file system has none. */
    static FileMode permissions(Path path) throws IOException {
        if (!Files.getFileStore(path).supportsFileAttributeView("posix")) {
            return FileMode.EXECUTABLE;
        }
        Set<PosixFilePermission> granted = Files.getPosixFilePermissions(path);
        int bits = 0;
        for (PosixFilePermission permission : EnumSet.allOf(PosixFilePermission.class)) {
            bits = bits << 1 | (granted.contains(permission) ? 1 : 0);
        }
        return new FileMode(bits);
    }

    private <T> T checked(Reading<T> reading) {
        try {
            if (Files.isDirectory(path)) {
                throw new UserError(ExitCode.USAGE, option + ": " + path + " is a directory, not a file.");
            }
            return reading.read();
        } catch (NoSuchFileException missing) {
            throw new UserError(ExitCode.NOT_FOUND, option + ": there is no file " + path + ".");
        } catch (IOException unreadable) {
            throw new UserError(ExitCode.NOT_FOUND, option + ": " + path + " cannot be read.");
        }
    }
}
