package dev.vivarium.node.cli;

import dev.vivarium.node.archive.TarWriter;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.DigestOutputStream;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.util.ByteString;

/**
 * A folder of this machine that an option names, packed for a node: its files, folders and links with their modes, in the
 * order of their names and without times and owners, so that an unchanged folder is the same archive each time.
 *
 * @param path its path
 * @param option the option, as the user wrote it
 */
record LocalFolder(Path path, String option) {
    private static final int PIECE_BYTES = 1 << 16;
    private static final char REPLACEMENT = '\ufffd';

    /** An archive of the folder, in a file that is deleted when this program ends. */
    record Packed(Path archive, Digest digest) {}

    Packed packed() {
        try {
            Path archive = Files.createTempFile("vivarium-", ".tar");
            archive.toFile().deleteOnExit();
            try (DigestOutputStream out = new DigestOutputStream(
                    new BufferedOutputStream(Files.newOutputStream(archive)), Digest.newSha256())) {
                packEntries(path, "", out);
                write(out, TarWriter.END);
                return new Packed(
                        archive, Digest.ofDigestBytes(out.getMessageDigest().digest()));
            }
        } catch (NoSuchFileException gone) {
            throw unpacked(gone.getFile() + " was removed while it was packed");
        } catch (AccessDeniedException denied) {
            throw unpacked(denied.getFile() + " cannot be read");
        } catch (IOException failed) {
            throw unpacked("it cannot be packed: " + failed.getMessage());
        }
    }

    private UserError unpacked(String why) {
        return new UserError(ExitCode.NOT_FOUND, option + ": " + why + ".");
    }

    private void packEntries(Path folder, String prefix, OutputStream out) throws IOException {
        List<Path> entries;
        try (Stream<Path> listed = Files.list(folder)) {
            entries = listed.sorted(Comparator.comparing(LocalFolder::name)).toList();
        }
        for (Path entry : entries) {
            if (name(entry).indexOf(REPLACEMENT) >= 0) {
                throw unpacked(entry + " has a name that is not UTF-8; rename it");
            }
            packEntry(entry, prefix + name(entry), out);
        }
    }

    private static String name(Path entry) {
        return String.valueOf(entry.getFileName());
    }

    private void packEntry(Path entry, String name, OutputStream out) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(entry, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (attributes.isSymbolicLink()) {
            write(out, TarWriter.link(name, Files.readSymbolicLink(entry).toString(), 0));
        } else if (attributes.isDirectory()) {
            write(out, TarWriter.folder(name, LocalFile.permissions(entry), 0));
            packEntries(entry, name + "/", out);
        } else if (attributes.isRegularFile()) {
            write(out, TarWriter.file(name, LocalFile.permissions(entry), attributes.size(), 0));
            copy(entry, attributes.size(), out);
            write(out, TarWriter.padding(attributes.size()));
        } else {
            throw unpacked(entry + " is neither a file nor a folder nor a link; leave it out");
        }
    }

    private void copy(Path file, long size, OutputStream out) throws IOException {
        byte[] piece = new byte[PIECE_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (long left = size; left > 0; ) {
                int count = in.read(piece, 0, (int) Math.min(left, piece.length));
                if (count < 0) {
                    throw unpacked(file + " became shorter while it was packed");
                }
                out.write(piece, 0, count);
                left -= count;
            }
        }
    }

    private static void write(OutputStream out, ByteString bytes) throws IOException {
        out.write(bytes.toArrayUnsafe());
    }
}
