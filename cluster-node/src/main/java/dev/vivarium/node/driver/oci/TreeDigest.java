package dev.vivarium.node.driver.oci;

import dev.vivarium.protocol.run.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;

/**
 * The sum of the digests of all files' names and attributes below a folder, including the time of the last change of any kind
 * (ctime), which no program can set. A sum, so that no folder's names need to be sorted in memory. It notices damage and
 * changes by mistake; whoever is root could also write another digest.
 */
final class TreeDigest {
    private static final int DIGEST_BYTES = 32;
    private static final int BYTE = 8;
    private static final int BYTE_MASK = 0xff;

    private final byte[] sum = new byte[DIGEST_BYTES];

    private TreeDigest() {}

    /** Of a tree, in hexadecimal digits. */
    static String of(Path tree) throws IOException {
        TreeDigest digest = new TreeDigest();
        digest.add(tree, "");
        return HexFormat.of().formatHex(digest.sum);
    }

    private void add(Path file, String path) throws IOException {
        Map<String, Object> is =
                Files.readAttributes(file, "unix:mode,uid,gid,size,ctime,nlink", LinkOption.NOFOLLOW_LINKS);
        add(Digest.newSha256()
                .digest((path + "\0" + is.get("mode") + " " + is.get("uid") + " " + is.get("gid") + " " + is.get("size")
                                + " " + is.get("nlink") + " " + is.get("ctime"))
                        .getBytes(StandardCharsets.UTF_8)));
        if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(file)) {
                for (Path entry : entries) {
                    add(entry, path + "/" + entry.getFileName());
                }
            } catch (DirectoryIteratorException broken) {
                throw broken.getCause();
            }
        }
    }

    private void add(byte[] digest) {
        int carry = 0;
        for (int at = DIGEST_BYTES - 1; at >= 0; at--) {
            int total = (sum[at] & BYTE_MASK) + (digest[at] & BYTE_MASK) + carry;
            sum[at] = (byte) total;
            carry = total >> BYTE;
        }
    }
}
