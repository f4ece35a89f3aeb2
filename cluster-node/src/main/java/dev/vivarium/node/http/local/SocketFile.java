package dev.vivarium.node.http.local;

import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A socket's place in the file system: in a folder that only its owner can enter, held by one node at a time. A lock says
 * which: the kernel releases it when a node dies, so a socket that nobody holds is what a dead node left and is replaced. The
 * socket is removed at the end, unless another file has taken its place; the lock's file stays, since a lock on a file that
 * somebody removes would hold nothing.
 */
final class SocketFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

    /** The longest path: sockaddr_un has 108 bytes, of which Java leaves two free. */
    static final int PATH_BYTES_MAX = 106;
    /** Connections that the kernel lets wait while the node has as many as it may. */
    private static final int WAITING_CONNECTIONS_MAX = 128;

    private static final String KEY = "vivarium.http.local-socket.path";
    /** Its owner is the user of this process. */
    private static final Path SELF = Path.of("/proc/self");

    private static final Set<PosixFilePermission> OWNERS_FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OWNERS_FILE = PosixFilePermissions.fromString("rw-------");

    private final Path path;
    private final FileChannel lockFile;
    private final ServerSocketChannel channel;
    /** The file that this made, as the file system knows it. */
    private final Object made;

    private SocketFile(Path path, FileChannel lockFile, ServerSocketChannel channel) throws IOException {
        this.path = path;
        this.lockFile = lockFile;
        this.channel = channel;
        this.made = identity(path)
                .orElseThrow(() -> new IOException(path + " was removed while the node began to listen there."));
    }

    /**
     * Listens at a path.
     *
     * @param path absolute
     * @throws IOException with a sentence for the operator when that cannot be done
     */
    static SocketFile listen(Path path) throws IOException {
        int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > PATH_BYTES_MAX) {
            throw new IOException(
                    "the path of its socket, " + path + ", has " + bytes + " bytes, and a socket's has at most "
                            + PATH_BYTES_MAX + ". Choose a shorter one with " + KEY + ", or a shorter VIVARIUM_HOME.");
        }
        Path folder = path.getParent();
        if (folder == null) {
            throw new IOException(path + " is no file in a folder. Choose another path with " + KEY + ".");
        }
        try {
            return listen(path, folder);
        } catch (FileSystemException | SocketException failed) {
            throw cannotBeMade(path, failed);
        }
    }

    private static SocketFile listen(Path path, Path folder) throws IOException {
        prepare(folder);
        FileChannel lockFile = lock(path);
        ServerSocketChannel channel = null;
        try {
            removeStale(path);
            channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.bind(UnixDomainSocketAddress.of(path), WAITING_CONNECTIONS_MAX);
            // Nobody else was able to connect meanwhile: the folder is closed to them.
            Files.setPosixFilePermissions(path, OWNERS_FILE);
            return new SocketFile(path, lockFile, channel);
        } catch (IOException failed) {
            if (channel != null) {
                channel.close();
            }
            lockFile.close();
            throw failed;
        }
    }

    private static IOException cannotBeMade(Path file, IOException cause) {
        return new IOException(file + " cannot be made (" + cause + "). Choose another path with " + KEY + ".", cause);
    }

    private static void prepare(Path folder) throws IOException {
        try {
            Path above = folder.getParent();
            if (above != null) {
                Files.createDirectories(above);
            }
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNERS_FOLDER));
        } catch (FileAlreadyExistsException there) {
            // It is looked at below, like a new one.
        }
        PosixFileAttributes found = Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!found.isDirectory()) {
            throw new IOException(folder + " is no folder, and its socket must be in one. Remove it, or choose another"
                    + " path with " + KEY + ".");
        }
        if (!found.owner().equals(Files.getOwner(SELF))) {
            throw new IOException(folder + " is the folder of " + found.owner() + ", who could replace a socket there."
                    + " Remove it, or choose another path with " + KEY + ".");
        }
        if (!OWNERS_FOLDER.containsAll(found.permissions())) {
            throw new IOException("others than its owner can enter " + folder + ". Close it to them with chmod 700, or"
                    + " choose another path with " + KEY + ".");
        }
    }

    private static FileChannel lock(Path path) throws IOException {
        Path file = path.resolveSibling(path.getFileName() + ".lock");
        FileChannel channel = openLock(file);
        try {
            if (isLocked(channel)) {
                return channel;
            }
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
        channel.close();
        throw new IOException("another node listens at " + path + ", and commands that name no node talk to that one."
                + " Reach this one with --server and its URL, or give each node a VIVARIUM_HOME or a " + KEY + ".");
    }

    private static FileChannel openLock(Path file) throws IOException {
        try {
            return FileChannel.open(
                    file,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                    PosixFilePermissions.asFileAttribute(OWNERS_FILE));
        } catch (IOException failed) {
            throw cannotBeMade(file, failed);
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException inThisProcess) {
            return false;
        }
    }

    /** What is no socket is not the node's to remove. */
    private static void removeStale(Path path) throws IOException {
        try {
            BasicFileAttributes found =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!found.isOther()) {
                throw new IOException(path
                        + " is no socket, and in the way of one. Remove it, or choose another path with " + KEY + ".");
            }
            Files.delete(path);
        } catch (NoSuchFileException free) {
            // Nothing to remove.
        }
    }

    private static Optional<Object> identity(Path path) throws IOException {
        try {
            return Optional.ofNullable(Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey());
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    Path path() {
        return path;
    }

    ServerSocketChannel channel() {
        return channel;
    }

    /** Listens no more. Idempotent. */
    @Override
    public void close() {
        if (!lockFile.isOpen()) {
            return;
        }
        try {
            channel.close();
            if (identity(path).filter(made::equals).isPresent()) {
                Files.delete(path);
            }
        } catch (IOException left) {
            LOG.warn("The socket {} was not removed; the next node replaces it: {}", path, left.getMessage());
        } finally {
            releaseLock();
        }
    }

    private void releaseLock() {
        try {
            lockFile.close();
        } catch (IOException kept) {
            LOG.warn("The lock of the socket {} was not released: {}", path, kept.getMessage());
        }
    }
}
