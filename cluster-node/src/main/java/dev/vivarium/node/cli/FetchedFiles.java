package dev.vivarium.node.cli;

import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestOutputStream;
import java.util.EnumSet;
import java.util.Set;

/**
 * A folder of this machine into which a run's files are written. Their names come from an agent: none may lead out of the
 * folder or through a link in it. A file gets its name only once it is complete and its digest matches.
 */
final class FetchedFiles {
    private static final int OWNER_EXECUTES = 0100;
    private static final String UNFINISHED = ".vivarium-part";

    private final Path folder;

    FetchedFiles(Path folder) {
        this.folder = folder;
    }

    void write(Artifact artifact, InputStream content) throws IOException {
        Path file = place(artifact.path());
        Path unfinished = file.resolveSibling(file.getFileName() + UNFINISHED);
        Files.deleteIfExists(unfinished);
        try {
            DigestOutputStream out = new DigestOutputStream(
                    Files.newOutputStream(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    Digest.newSha256());
            try (OutputStream closing = out) {
                content.transferTo(closing);
            }
            if (!Digest.ofDigestBytes(out.getMessageDigest().digest()).equals(artifact.digest())) {
                throw new IOException("the content of " + artifact.path() + " came with another digest");
            }
            allow(unfinished, artifact);
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** The destination of a file; creates its parent folders. */
    private Path place(String path) throws IOException {
        Files.createDirectories(folder);
        Path at = folder;
        String[] parts = path.split("/", -1);
        for (int part = 0; part < parts.length; part++) {
            at = at.resolve(checked(parts[part], path));
            boolean isLast = part == parts.length - 1;
            boolean exists = Files.exists(at, LinkOption.NOFOLLOW_LINKS);
            if (exists && !(isLast ? isFile(at) : Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS))) {
                throw new UserError(
                        ExitCode.USAGE,
                        at + " is in the way of the file " + path + ": it is "
                                + (isLast ? "not a file" : "not a folder") + ". Choose another folder.");
            }
            if (!exists && !isLast) {
                Files.createDirectory(at);
            }
        }
        return at;
    }

    private static boolean isFile(Path at) {
        return Files.isRegularFile(at, LinkOption.NOFOLLOW_LINKS);
    }

    private static String checked(String part, String path) {
        boolean isName = !part.isEmpty() && !part.equals(".") && !part.equals("..") && part.indexOf('\0') < 0;
        try {
            if (isName && Path.of(part).getNameCount() == 1 && !Path.of(part).isAbsolute()) {
                return part;
            }
        } catch (InvalidPathException unknownHere) {
            throw new UserError(ExitCode.REFUSED, "This machine has no file names such as that of " + path + ".");
        }
        throw new UserError(ExitCode.REFUSED, "The node names a file that would lead out of the folder: " + path + ".");
    }

    /** The usual permissions of new files, and executable by the owner if it was in the sandbox. */
    private static void allow(Path file, Artifact artifact) throws IOException {
        if ((artifact.mode().bits() & OWNER_EXECUTES) != 0
                && Files.getFileStore(file).supportsFileAttributeView("posix")) {
            Set<PosixFilePermission> granted = EnumSet.copyOf(Files.getPosixFilePermissions(file));
            granted.add(PosixFilePermission.OWNER_EXECUTE);
            Files.setPosixFilePermissions(file, granted);
        }
    }
}
