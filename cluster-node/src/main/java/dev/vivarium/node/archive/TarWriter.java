package dev.vivarium.node.archive;

import dev.vivarium.protocol.run.FileMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.util.ByteString;

/**
 * Writes tar archives (POSIX.1-2001): for each entry its header, its content and padding; finally the end marker. Names
 * that do not fit into a header go into an extended one.
 */
public final class TarWriter {
    /** The end marker of an archive. */
    public static final ByteString END = ByteString.fromArrayUnsafe(new byte[2 * TarHeader.BLOCK_BYTES]);

    private static final int NAME_BYTES = 100;
    private static final long OCTAL_SIZE_MAX = (1L << 33) - 1;

    private TarWriter() {}

    /** The header of a file, whose content and {@link #padding} follow. */
    public static ByteString file(String name, FileMode mode, long size, long modifiedSeconds) {
        return entry('0', name, mode, size, modifiedSeconds, "");
    }

    /** A folder. */
    public static ByteString folder(String name, FileMode mode, long modifiedSeconds) {
        return entry('5', name + "/", mode, 0, modifiedSeconds, "");
    }

    /** A symbolic link. */
    public static ByteString link(String name, String target, long modifiedSeconds) {
        return entry('2', name, new FileMode(0777), 0, modifiedSeconds, target);
    }

    /** The padding after a content of that size. */
    public static ByteString padding(long size) {
        return ByteString.fromArrayUnsafe(new byte[(int) (-size & (TarHeader.BLOCK_BYTES - 1))]);
    }

    /** The bytes that a file takes in an archive. */
    public static long bytesOf(String name, FileMode mode, long size) {
        return file(name, mode, size, 0).size() + size + padding(size).size();
    }

    private static ByteString entry(
            char type, String name, FileMode mode, long size, long modifiedSeconds, String target) {
        StringBuilder records = new StringBuilder();
        if (!fits(name)) {
            records.append(record("path", name));
        }
        if (!fits(target)) {
            records.append(record("linkpath", target));
        }
        if (size > OCTAL_SIZE_MAX) {
            records.append(record("size", Long.toString(size)));
        }
        byte[] header = header(type, name, mode, Math.min(size, OCTAL_SIZE_MAX), modifiedSeconds, target);
        if (records.isEmpty()) {
            return ByteString.fromArrayUnsafe(header);
        }
        byte[] extended = records.toString().getBytes(StandardCharsets.UTF_8);
        return ByteString.fromArrayUnsafe(
                        header('x', "extended-header", FileMode.PLAIN, extended.length, modifiedSeconds, ""))
                .concat(ByteString.fromArrayUnsafe(extended))
                .concat(padding(extended.length))
                .concat(ByteString.fromArrayUnsafe(header));
    }

    private static boolean fits(String name) {
        return name.length() <= NAME_BYTES && name.chars().allMatch(letter -> letter > 0 && letter < 0x80);
    }

    /** Its length includes its own digits. */
    private static String record(String key, String value) {
        String rest = " " + key + "=" + value + "\n";
        int bytes = rest.getBytes(StandardCharsets.UTF_8).length;
        int length = bytes + Integer.toString(bytes).length();
        length = bytes + Integer.toString(length).length();
        return length + rest;
    }

    private static byte[] header(
            char type, String name, FileMode mode, long size, long modifiedSeconds, String target) {
        ByteBuffer block = ByteBuffer.allocate(TarHeader.BLOCK_BYTES);
        text(block, 0, NAME_BYTES, name);
        text(block, 100, 8, "%07o".formatted(mode.bits()));
        text(block, 108, 8, "%07o".formatted(0));
        text(block, 116, 8, "%07o".formatted(0));
        text(block, 124, 12, "%011o".formatted(size));
        text(block, 136, 12, "%011o".formatted(modifiedSeconds));
        text(block, 148, 8, "        ");
        block.put(156, (byte) type);
        text(block, 157, NAME_BYTES, target);
        text(block, 257, 8, "ustar\0" + "00");
        long sum = 0;
        for (byte one : block.array()) {
            sum += Byte.toUnsignedInt(one);
        }
        text(block, 148, 8, "%06o\0 ".formatted(sum));
        return block.array();
    }

    /** Truncates a name that is also in an extended header. */
    private static void text(ByteBuffer block, int at, int length, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        block.put(at, bytes, 0, Math.min(bytes.length, length));
    }
}
