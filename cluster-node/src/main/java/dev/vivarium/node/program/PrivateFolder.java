package dev.vivarium.node.program;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Folders that only root may enter: what is in them is trusted, since only root could change it. */
public final class PrivateFolder {
    private static final int OTHERS = 0077;
    private static final int WRITABLE_FOR_OTHERS = 0022;
    private static final int STICKY = 01000;
    private static final int TYPE = 0170000;
    private static final int FOLDER = 0040000;
    private static final int LINK = 0120000;

    private PrivateFolder() {}

    /** Creates a folder that only root may enter; an existing one must be like that. */
    public static void make(Path folder) throws IOException {
        try {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException file) {
            throw new IOException(folder + " is no folder.", file);
        }
        require(folder);
    }

    /** Checks that only root may enter it. */
    public static void require(Path folder) throws IOException {
        Is is = Is.of(folder);
        if (is.type() == LINK) {
            throw new IOException(folder + " is a symbolic link: name the folder itself.");
        }
        if (is.type() != FOLDER) {
            throw new IOException(folder + " is no folder.");
        }
        if ((is.mode() & OTHERS) != 0 || is.owner() != 0) {
            throw new IOException(folder + " must belong to root and be closed to others (chown root " + folder
                    + "; chmod 700 " + folder + ").");
        }
    }

    /** Checks that only root can put another folder in its place. */
    public static void requireNotReplaceable(Path folder) throws IOException {
        requireRootsAbove(folder, folder);
        requireRootsAbove(folder, folder.toRealPath());
    }

    private static void requireRootsAbove(Path folder, Path path) throws IOException {
        for (Path above = path.getParent(); above != null; above = above.getParent()) {
            Is is = Is.of(above);
            boolean writable = is.type() != LINK && (is.mode() & WRITABLE_FOR_OTHERS) != 0 && (is.mode() & STICKY) == 0;
            if (is.owner() != 0 || writable) {
                throw new IOException(folder + " is below " + above
                        + ", which must belong to root and be writable for root only (chown root " + above
                        + "; chmod go-w " + above + ").");
            }
        }
    }

    private record Is(int mode, int owner) {
        static Is of(Path file) throws IOException {
            return new Is((Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS), (Integer)
                    Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS));
        }

        int type() {
            return mode & TYPE;
        }
    }

    /** Removes a file, or a folder with all that is in it, without following links. */
    public static void removeTree(Path tree) throws IOException {
        if (Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(tree)) {
                for (Path entry : entries) {
                    removeTree(entry);
                }
            } catch (DirectoryIteratorException broken) {
                throw broken.getCause();
            } catch (NoSuchFileException gone) {
                return;
            }
        }
        Files.deleteIfExists(tree);
    }
}
