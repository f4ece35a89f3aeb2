package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Writes the files of an image below a folder that nothing else writes to. The archive's names are untrusted: no path leads
 * out of the folder or through a link, and only directories, files, hard links to files, and symbolic links are written.
 * Devices, pipes and sockets are left out, since a sandbox has its own; so are extended attributes, since file capabilities
 * have no effect where programs gain no privileges.
 */
final class TreeWriter {
    private static final int PERMISSIONS = 07777;
    private static final int FOLDER_MODE = 0755;

    private final Path root;
    /** Directories that were made here, by their paths in the archive; any other could be a link. */
    private final Set<String> folders = new HashSet<>();
    /** Their times, to be set last and in this order, since writing into a directory changes its time. */
    private final Deque<FolderTime> times = new ArrayDeque<>();

    private record FolderTime(Path folder, FileTime time) {}

    /** An archive that is not a valid image. */
    static final class MalformedImageException extends IOException {
        private static final long serialVersionUID = 1;

        MalformedImageException(String message) {
            super(message);
        }
    }

    /** A failure of the disk. */
    static final class DiskException extends IOException {
        private static final long serialVersionUID = 1;

        DiskException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** @param root an empty folder */
    TreeWriter(Path root) {
        this.root = root;
        folders.add("");
    }

    /**
     * Writes the whole archive.
     *
     * @throws DiskException when the disk fails; another IOException when the archive cannot be read
     */
    void write(InputStream archive) throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(archive);
        for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            write(entry, tar);
        }
        for (FolderTime each : times) {
            onDisk(() -> Files.setLastModifiedTime(each.folder(), each.time()));
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void onDisk(Work work) throws DiskException {
        try {
            work.run();
        } catch (IOException failed) {
            throw new DiskException(failed);
        }
    }

    private void write(TarArchiveEntry entry, TarArchiveInputStream content) throws IOException {
        String path = plain(entry.getName());
        if (path.isEmpty()) {
            onDisk(() -> own(root, entry));
            return;
        }
        int slash = path.lastIndexOf('/');
        if (!folders.contains(slash < 0 ? "" : path.substring(0, slash))) {
            throw new MalformedImageException("it has " + path + " in what is no directory");
        }
        Path file = root.resolve(path);
        if (entry.isDirectory()) {
            onDisk(() -> makeFolder(file, path, entry));
        } else if (entry.isSymbolicLink()) {
            String target = entry.getLinkName();
            onDisk(() -> {
                Files.createSymbolicLink(file, Path.of(target));
                setOwner(file, entry);
            });
        } else if (entry.isLink()) {
            link(file, path, plain(entry.getLinkName()));
        } else if (isContent(entry)) {
            writeFile(file, entry, content);
        }
    }

    /** The library treats everything but directories as files. */
    private static boolean isContent(TarArchiveEntry entry) {
        return entry.isFile() && !entry.isBlockDevice() && !entry.isCharacterDevice() && !entry.isFIFO();
    }

    private void makeFolder(Path folder, String path, TarArchiveEntry entry) throws IOException {
        if (folders.add(path)) {
            Files.createDirectory(folder);
        }
        own(folder, entry);
        times.addFirst(
                new FolderTime(folder, FileTime.from(entry.getLastModifiedTime().toInstant())));
    }

    private void link(Path file, String path, String target) throws IOException {
        int slash = target.lastIndexOf('/');
        Path existing = root.resolve(target);
        if (!folders.contains(slash < 0 ? "" : target.substring(0, slash))
                || !Files.isRegularFile(existing, LinkOption.NOFOLLOW_LINKS)) {
            throw new MalformedImageException("its " + path + " is a link to " + target + ", which is no file of it");
        }
        onDisk(() -> Files.createLink(file, existing));
    }

    private static void writeFile(Path file, TarArchiveEntry entry, TarArchiveInputStream content) throws IOException {
        byte[] buffer = new byte[1 << 16];
        Optional<IOException> broken = Optional.empty();
        try (WritableByteChannel out = open(file)) {
            var bytes = Channels.newOutputStream(out);
            for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
                int length = count;
                onDisk(() -> bytes.write(buffer, 0, length));
            }
        } catch (IOException failed) {
            broken = Optional.of(failed);
        }
        if (broken.isPresent()) {
            throw broken.get();
        }
        onDisk(() -> {
            own(file, entry);
            Files.setLastModifiedTime(
                    file, FileTime.from(entry.getLastModifiedTime().toInstant()));
        });
    }

    private static WritableByteChannel open(Path file) throws DiskException {
        try {
            return Files.newByteChannel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException failed) {
            throw new DiskException(failed);
        }
    }

    /** The mode last, since a change of the owner clears some of its bits. */
    private static void own(Path file, TarArchiveEntry entry) throws IOException {
        setOwner(file, entry);
        int mode = entry.getMode() & PERMISSIONS;
        Files.setAttribute(file, "unix:mode", mode == 0 && entry.isDirectory() ? FOLDER_MODE : mode);
    }

    private static void setOwner(Path file, TarArchiveEntry entry) throws IOException {
        Files.setAttribute(file, "unix:uid", (int) entry.getLongUserId(), LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(file, "unix:gid", (int) entry.getLongGroupId(), LinkOption.NOFOLLOW_LINKS);
    }

    /** A normalized path of the archive; empty for the root. */
    private static String plain(String name) throws MalformedImageException {
        StringBuilder plain = new StringBuilder();
        for (String part : name.split("/", -1)) {
            if (part.isEmpty() || part.equals(".")) {
                continue;
            }
            if (part.equals("..") || part.indexOf('\0') >= 0) {
                throw new MalformedImageException("it has a file with the path " + name);
            }
            plain.append(plain.isEmpty() ? "" : "/").append(part);
        }
        return plain.toString();
    }
}
