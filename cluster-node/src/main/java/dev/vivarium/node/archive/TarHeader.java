package dev.vivarium.node.archive;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.pekko.util.ByteString;

/**
 * One header block of a tar (POSIX.1-1988 "ustar", and the formats of GNU tar and Unix version 7).
 *
 * @param name the bytes of the path, joined from its two fields
 * @param type the type flag
 * @param mode all bits of the mode
 * @param size the number of bytes that follow
 * @param target the bytes of a link's target
 */
record TarHeader(ByteString name, char type, int mode, long size, ByteString target) {
    static final int BLOCK_BYTES = 512;

    private static final int CHECKSUM_AT = 148;
    private static final int CHECKSUM_BYTES = 8;

    static TarHeader parse(byte[] block) {
        long sum = 0;
        for (int at = 0; at < BLOCK_BYTES; at++) {
            boolean inChecksum = at >= CHECKSUM_AT && at < CHECKSUM_AT + CHECKSUM_BYTES;
            sum += inChecksum ? ' ' : Byte.toUnsignedInt(block[at]);
        }
        if (number(block, CHECKSUM_AT, CHECKSUM_BYTES) != sum) {
            throw new BadArchive("it is no tar archive, or damaged (the checksum of a header is wrong)");
        }
        byte[] name = text(block, 0, 100);
        byte[] prefix = isPosix(block) ? text(block, 345, 155) : new byte[0];
        return new TarHeader(
                ByteString.fromArray(prefix.length == 0 ? name : joined(prefix, name)),
                (char) Byte.toUnsignedInt(block[156]),
                (int) (number(block, 100, 8) & 07777),
                number(block, 124, 12),
                ByteString.fromArray(text(block, 157, 100)));
    }

    /** GNU's magic ends in a space, and has other fields where POSIX has the prefix. */
    private static boolean isPosix(byte[] block) {
        return "ustar\0".equals(new String(block, 257, 6, StandardCharsets.ISO_8859_1));
    }

    private static byte[] joined(byte[] prefix, byte[] name) {
        return ByteBuffer.allocate(prefix.length + 1 + name.length)
                .put(prefix)
                .put((byte) '/')
                .put(name)
                .array();
    }

    private static byte[] text(byte[] block, int from, int length) {
        return untilNul(Arrays.copyOfRange(block, from, from + length));
    }

    static byte[] untilNul(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return Arrays.copyOf(bytes, end);
    }

    /** Octal digits surrounded by spaces and NULs, or, with the first bit set, a number in base 256. */
    private static long number(byte[] block, int from, int length) {
        if ((block[from] & 0x80) != 0) {
            return base256(block, from, length);
        }
        String digits = new String(block, from, length, StandardCharsets.ISO_8859_1)
                .replace('\0', ' ')
                .strip();
        if (digits.isEmpty()) {
            return 0;
        }
        try {
            return Long.parseUnsignedLong(digits, 8);
        } catch (NumberFormatException damaged) {
            throw new BadArchive("it is no tar archive, or damaged (a number in a header is not octal)");
        }
    }

    private static long base256(byte[] block, int from, int length) {
        long value = block[from] & 0x7f;
        for (int at = from + 1; at < from + length; at++) {
            if (value >>> (Long.SIZE - 1 - Byte.SIZE) != 0) {
                throw new BadArchive("it has a header with a number that is negative or too large");
            }
            value = value << Byte.SIZE | Byte.toUnsignedInt(block[at]);
        }
        return value;
    }

    /** A name in UTF-8; otherwise refused with a sentence for the user. */
    static String utf8(byte[] name) {
        return Utf8Name.of(name)
                .orElseThrow(
                        () -> BadArchive.entry(Utf8Name.shown(name), "has a name that is not UTF-8: rename it first"));
    }
}
