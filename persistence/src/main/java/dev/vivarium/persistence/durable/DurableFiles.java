package dev.vivarium.persistence.durable;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/**
 * Writes and destroys small files such that a crash of the process or the machine at any moment leaves the old file or
 * the new one, never a part. Confidential files are readable by their owner only, from the first byte on.
 */
public final class DurableFiles {
    /** Read and write for the owner only. */
    public static final Set<PosixFilePermission> OWNER_ONLY =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    /** The suffix of a file that is being written; a crash can leave one. */
    public static final String DRAFT = ".new";

    private static final Set<PosixFilePermission> OWNER_ONLY_DIRECTORY = PosixFilePermissions.fromString("rwx------");

    private DurableFiles() {}

    /** Creates or replaces a file; it is on disk under its name when this returns. */
    public static void write(Path file, byte[] content, Set<PosixFilePermission> permissions) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + DRAFT);
        Files.deleteIfExists(draft);
        try {
            writeDraft(draft, content, permissions);
        } catch (IOException notWritten) {
            Files.deleteIfExists(draft);
            throw notWritten;
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        syncDirectory(directoryOf(file));
    }

    private static void writeDraft(Path draft, byte[] content, Set<PosixFilePermission> permissions)
            throws IOException {
        try (FileChannel channel = FileChannel.open(
                draft,
                EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(permissions))) {
            // Set again, since the process's umask was applied at creation.
            Files.setPosixFilePermissions(draft, permissions);
            writeAll(channel, ByteBuffer.wrap(content));
            channel.force(true);
        }
    }

    /**
     * Creates a file exclusively: of several processes or machines one succeeds. The file is on disk under its name
     * when this returns.
     *
     * @throws java.nio.file.FileAlreadyExistsException when it exists; it is left unchanged
     */
    public static void create(Path file, byte[] content, Set<PosixFilePermission> permissions) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + DRAFT);
        try {
            writeDraft(draft, content, permissions);
            // Unlike a move, a link never replaces another file.
            Files.createLink(file, draft);
        } finally {
            Files.deleteIfExists(draft);
        }
        syncDirectory(directoryOf(file));
    }

    /** Overwrites a file's bytes on disk and removes it. Idempotent. */
    public static void shred(Path file) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            writeAll(channel, ByteBuffer.allocate(Math.toIntExact(channel.size())));
            channel.force(true);
        }
        Files.deleteIfExists(file);
        syncDirectory(directoryOf(file));
    }

    /** Creates a directory that only its owner may enter, if it does not exist. */
    public static void createPrivateDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY_DIRECTORY));
            syncDirectory(directoryOf(directory));
        }
    }

    /** Creates a directory that everyone may enter and only its owner may change, if it does not exist. */
    public static void createPublicDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    /** Makes a directory's entries durable; a file's own fsync does not cover its name. */
    public static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Reads a file of at most the given size; a longer one was not written by this class. */
    public static byte[] read(Path file, int sizeMax) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(sizeMax + 1);
            if (content.length > sizeMax) {
                throw new IOException(file + " is longer than " + sizeMax + " bytes.");
            }
            return content;
        }
    }

    private static void writeAll(FileChannel channel, ByteBuffer content) throws IOException {
        while (content.hasRemaining()) {
            channel.write(content);
        }
    }

    private static Path directoryOf(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null) {
            throw new IOException(file + " is no file.");
        }
        return directory;
    }
}
