package dev.vivarium.node.driver;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The agent's entries in a sandbox's /etc/passwd and /etc/group, composed of the image's files, if any, and the sandbox's
 * uid. Pure; a driver places the files so that the agent can read and not write them.
 *
 * <p>The entry comes first. Lookups by name or number take the first matching line, so an image that has an account of
 * that name or number, or whose last line has no newline, cannot change it. The image's other accounts give no rights: a uid
 * alone does, and a program cannot take another one.
 */
public final class AgentAccount {
    /** The agent's name for itself, and its group's. */
    public static final String NAME = "agent";

    /** Its home: the one folder that it owns. */
    public static final String HOME = "/workspace";

    public static final String SHELL = "/bin/sh";

    /** The search path for programs, unless the image or the run sets another: in a shell's usual order. */
    public static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /** The file of accounts. */
    public static final String PASSWD = "/etc/passwd";

    /** The file of their groups. */
    public static final String GROUP = "/etc/group";

    /** The limit for an image's file; lookups read it from the beginning each time. */
    public static final int IMAGE_BYTES_MAX = 1 << 20;

    private AgentAccount() {}

    /**
     * The content of both files, by path.
     *
     * @param passwd the image's file, with any content; none is made where it is absent
     * @param group the same of /etc/group
     */
    public static Map<String, byte[]> files(Optional<byte[]> passwd, Optional<byte[]> group, int uid) {
        Map<String, byte[]> files = new TreeMap<>();
        passwd.ifPresent(image -> files.put(PASSWD, passwd(image, uid)));
        group.ifPresent(image -> files.put(GROUP, group(image, uid)));
        return files;
    }

    /**
     * The file /etc/passwd.
     *
     * @param image the image's file, with any content; empty if there is none
     */
    public static byte[] passwd(byte[] image, int uid) {
        return withFirstLine(NAME + ":x:" + uid + ":" + uid + ":agent:" + HOME + ":" + SHELL, image);
    }

    /**
     * The file /etc/group.
     *
     * @param image the image's own, of any content; empty where it has none
     */
    public static byte[] group(byte[] image, int gid) {
        return withFirstLine(NAME + ":x:" + gid + ":", image);
    }

    private static byte[] withFirstLine(String line, byte[] image) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes((line + "\n").getBytes(StandardCharsets.US_ASCII));
        file.write(image, 0, wholeLines(image));
        return file.toByteArray();
    }

    /** How much of an image's file to use: all of it, or, if it is too long, up to the end of a line. */
    private static int wholeLines(byte[] image) {
        if (image.length <= IMAGE_BYTES_MAX) {
            return image.length;
        }
        int end = IMAGE_BYTES_MAX;
        while (end > 0 && image[end - 1] != '\n') {
            end--;
        }
        return end;
    }
}
