package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
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
    private static final String NOT_UNICODE = "\ufffd";

    /** Linux's own limit of a name; its limit of a path less what is above the tree. */
    private static final int NAME_BYTES_MAX = 255;

    private static final int PATH_BYTES_MAX = 3_500;
    private static final int TARGET_BYTES_MAX = 4_095;
    /** Walks through the tree hold a folder open at each level. */
    private static final int DEPTH_MAX = 200;
    /** Names that are kept until the end are on the node's heap. */
    private static final int KEPT_CHARACTERS_MAX = 32 << 20;

    private static final int KEPT_EACH = 200;
    private static final long OWNER_MAX = 0xffff_fffeL;
    private static final int SHOWN_MAX = 200;

    private final Path root;
    private final DiskBudget budget;
    /**
     * The times of directories that were made here, by their paths in the archive; any other directory could be a link. They
     * are set last, since writing into a directory changes its time.
     */
    private final Map<String, FileTime> folders = new LinkedHashMap<>();
    /** Devices and the like, to which there may be hard links. */
    private final Set<String> leftOut = new HashSet<>();

    private long keptCharacters;

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

    /**
     * @param root an empty folder
     * @param budget what the image may take
     */
    TreeWriter(Path root, DiskBudget budget) {
        this.root = root;
        this.budget = budget;
    }

    /**
     * Writes the whole archive.
     *
     * @throws DiskException when the disk fails or has too little room; another IOException when the archive cannot be read
     */
    void write(InputStream archive) throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(archive, StandardCharsets.UTF_8.name());
        for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            budget.takeEntry();
            try {
                write(entry, tar);
            } catch (InvalidPathException otherLocale) {
                throw new DiskException(new IOException(
                        "the node's locale has no " + shown(otherLocale.getInput())
                                + " in names of files; start the node with LC_ALL=C.UTF-8.",
                        otherLocale));
            }
        }
        for (Map.Entry<String, FileTime> each : folders.entrySet()) {
            onDisk(() -> Files.setLastModifiedTime(root.resolve(each.getKey()), each.getValue()));
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
        if (!isInFolder(path)) {
            throw new MalformedImageException("it has " + shown(path) + " in what is no directory");
        }
        if (entry.getLongUserId() > OWNER_MAX || entry.getLongGroupId() > OWNER_MAX) {
            throw new MalformedImageException("its " + shown(path) + " has an owner that is none");
        }
        Path file = root.resolve(path);
        try {
            if (entry.isDirectory()) {
                makeFolder(file, path, entry);
            } else if (entry.isSymbolicLink()) {
                String target = target(path, entry.getLinkName());
                create(() -> Files.createSymbolicLink(file, Path.of(target)));
                onDisk(() -> setOwner(file, entry));
            } else if (entry.isLink()) {
                link(file, path, plain(entry.getLinkName()));
            } else if (isContent(entry)) {
                writeFile(file, entry, content);
            } else {
                keep(path);
                leftOut.add(path);
            }
        } catch (FileAlreadyExistsException twice) {
            throw new MalformedImageException("it has " + shown(path) + " more than once");
        }
    }

    private boolean isInFolder(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 || folders.containsKey(path.substring(0, slash));
    }

    /** The library treats everything but directories as files. */
    private static boolean isContent(TarArchiveEntry entry) {
        return entry.isFile() && !entry.isBlockDevice() && !entry.isCharacterDevice() && !entry.isFIFO();
    }

    private void makeFolder(Path folder, String path, TarArchiveEntry entry) throws IOException {
        if (!folders.containsKey(path)) {
            keep(path);
            create(() -> Files.createDirectory(folder));
        }
        onDisk(() -> own(folder, entry));
        folders.put(path, time(entry));
    }

    private void keep(String path) throws MalformedImageException {
        keptCharacters += path.length() + KEPT_EACH;
        if (keptCharacters > KEPT_CHARACTERS_MAX) {
            throw new MalformedImageException("it has too many folders");
        }
    }

    private void link(Path file, String path, String target) throws IOException {
        if (leftOut.contains(target)) {
            return;
        }
        Path existing = root.resolve(target);
        if (target.isEmpty()
                || !isInFolder(target)
                || folders.containsKey(target)
                || !Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
            throw new MalformedImageException(
                    "its " + shown(path) + " is a link to " + shown(target) + ", which is no file of it");
        }
        // Of a symbolic link, the link itself gets a further name: Linux does not follow it here.
        create(() -> Files.createLink(file, existing));
    }

    private void writeFile(Path file, TarArchiveEntry entry, TarArchiveInputStream content) throws IOException {
        byte[] buffer = new byte[1 << 16];
        Optional<IOException> broken = Optional.empty();
        try (WritableByteChannel out = open(file)) {
            var bytes = Channels.newOutputStream(out);
            for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
                int length = count;
                budget.takeBytes(length);
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
            Files.setLastModifiedTime(file, time(entry));
        });
    }

    private static FileTime time(TarArchiveEntry entry) {
        return FileTime.from(entry.getLastModifiedTime().toInstant());
    }

    private static WritableByteChannel open(Path file) throws IOException {
        try {
            return Files.newByteChannel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException twice) {
            throw twice;
        } catch (IOException failed) {
            throw new DiskException(failed);
        }
    }

    /** A file that exists is the archive's fault, and all else the disk's. */
    private static void create(Work work) throws IOException {
        try {
            work.run();
        } catch (FileAlreadyExistsException twice) {
            throw twice;
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
        requireUnicode(name);
        StringBuilder plain = new StringBuilder();
        int depth = 0;
        for (String part : name.split("/", -1)) {
            if (part.isEmpty() || part.equals(".")) {
                continue;
            }
            if (part.equals("..") || part.indexOf('\0') >= 0) {
                throw new MalformedImageException("it has a file with the path " + shown(name));
            }
            depth++;
            if (length(part) > NAME_BYTES_MAX) {
                throw new MalformedImageException("it has a name that is too long: " + shown(part));
            }
            plain.append(plain.isEmpty() ? "" : "/").append(part);
        }
        if (depth > DEPTH_MAX || length(plain.toString()) > PATH_BYTES_MAX) {
            throw new MalformedImageException("it has a path that is too long: " + shown(plain.toString()));
        }
        return plain.toString();
    }

    private static String target(String path, String target) throws MalformedImageException {
        requireUnicode(target);
        if (target.isEmpty() || target.indexOf('\0') >= 0 || length(target) > TARGET_BYTES_MAX) {
            throw new MalformedImageException("its " + shown(path) + " is a link to nothing that can be");
        }
        return target;
    }

    /** Java writes names in Unicode only, and two other names could become one. */
    private static void requireUnicode(String name) throws MalformedImageException {
        if (name.contains(NOT_UNICODE)) {
            throw new MalformedImageException("it has a file whose name is not in UTF-8: " + shown(name));
        }
    }

    private static int length(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length;
    }

    /** A name for a sentence, which an image must not write on its own. */
    private static String shown(String name) {
        String line = name.replace(NOT_UNICODE, "?").replaceAll("\\p{C}", "?");
        return line.length() <= SHOWN_MAX ? line : line.substring(0, SHOWN_MAX) + "...";
    }
}
