package dev.vivarium.node.driver.oci;

import dev.vivarium.protocol.run.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The digest of all names and attributes of files below a folder, including the time of the last change of any kind (ctime),
 * which no program can set. It notices damage and changes by mistake; root could also write another digest. Nodes of other
 * versions may share the folder of images, so a change of it would have them unpack each image in turns.
 */
final class TreeDigest {
    private TreeDigest() {}

    /** Of a tree, in hexadecimal digits. */
    static String of(Path tree) throws IOException {
        MessageDigest all = Digest.newSha256();
        add(tree, "", all);
        return HexFormat.of().formatHex(all.digest());
    }

    private static void add(Path file, String path, MessageDigest all) throws IOException {
        Map<String, Object> is =
                Files.readAttributes(file, "unix:mode,uid,gid,size,ctime,nlink", LinkOption.NOFOLLOW_LINKS);
        all.update((path + "\0" + is.get("mode") + " " + is.get("uid") + " " + is.get("gid") + " " + is.get("size")
                        + " " + is.get("nlink") + " " + is.get("ctime") + "\n")
                .getBytes(StandardCharsets.UTF_8));
        if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
            try (Stream<Path> entries = Files.list(file)) {
                for (Path entry : entries.sorted().toList()) {
                    add(entry, path + "/" + entry.getFileName(), all);
                }
            }
        }
    }
}
