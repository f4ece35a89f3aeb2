package dev.vivarium.node.archive;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** The records of extended headers (POSIX.1-2001) for the next entry, as far as they matter here. */
record PaxRecords(Optional<byte[]> path, Optional<byte[]> target, Optional<Long> size) {
    static final PaxRecords NONE = new PaxRecords(Optional.empty(), Optional.empty(), Optional.empty());

    /** Parses the records of a block, each {@code "LENGTH KEY=VALUE\n"}; the length includes itself. */
    PaxRecords with(byte[] block) {
        PaxRecords records = this;
        int at = 0;
        while (at < block.length) {
            int space = indexOf(block, ' ', at);
            int length = length(block, at, space);
            int equals = indexOf(block, '=', space + 1);
            if (length > block.length - at || equals >= at + length || block[at + length - 1] != '\n') {
                throw damaged();
            }
            String key = new String(block, space + 1, equals - space - 1, StandardCharsets.ISO_8859_1);
            records = records.with(key, Arrays.copyOfRange(block, equals + 1, at + length - 1));
            at += length;
        }
        return records;
    }

    private PaxRecords with(String key, byte[] value) {
        if (key.startsWith("GNU.sparse.")) {
            throw sparse();
        }
        return switch (key) {
            case "path" -> new PaxRecords(Optional.of(value), target, size);
            case "linkpath" -> new PaxRecords(path, Optional.of(value), size);
            case "size" -> new PaxRecords(path, target, Optional.of(size(value)));
            default -> this;
        };
    }

    private static long size(byte[] value) {
        String digits = new String(value, StandardCharsets.ISO_8859_1);
        if (!digits.matches("[0-9]{1,18}")) {
            throw damaged();
        }
        return Long.parseLong(digits);
    }

    private static int length(byte[] block, int from, int space) {
        String digits = new String(block, from, space - from, StandardCharsets.ISO_8859_1);
        if (!digits.matches("[1-9][0-9]{0,6}")) {
            throw damaged();
        }
        int length = Integer.parseInt(digits);
        if (length < digits.length() + 3) {
            throw damaged();
        }
        return length;
    }

    private static int indexOf(byte[] block, char wanted, int from) {
        for (int at = from; at < block.length; at++) {
            if (block[at] == wanted) {
                return at;
            }
        }
        throw damaged();
    }

    static BadArchive sparse() {
        return new BadArchive("it has sparse files: pack it without --sparse");
    }

    private static BadArchive damaged() {
        return new BadArchive("it is damaged (an extended header is malformed)");
    }
}
