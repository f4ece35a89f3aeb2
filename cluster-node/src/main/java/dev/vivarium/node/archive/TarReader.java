package dev.vivarium.node.archive;

import dev.vivarium.protocol.run.FileMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.util.ByteString;

/**
 * Parses a tar archive that arrives in pieces of any length, and buffers no more than {@value #META_BYTES_MAX} bytes. A
 * state machine without I/O; for one archive, not thread-safe.
 *
 * <p>Not Apache Commons Compress, which reads from a blocking stream, with one thread for each starting run, and buffers a
 * long name or an extended header completely, whatever its announced length.
 */
final class TarReader {
    /** The limit for extended headers and long names of one entry. */
    static final int META_BYTES_MAX = 64 << 10;

    /** The limit for all headers of an archive; with half a KiB each, a quarter of a million entries fit. */
    static final long HEADER_BYTES_MAX = 256L << 20;

    private ByteString waiting = ByteString.emptyByteString();
    private Expected expected = Expected.HEADER;
    private char metaType;
    private long contentLeft;
    private int paddingLeft;
    private int metaBytes;
    private long headerBytes;
    private Optional<byte[]> longName = Optional.empty();
    private Optional<byte[]> longTarget = Optional.empty();
    private PaxRecords records = PaxRecords.NONE;

    private enum Expected {
        HEADER,
        META,
        CONTENT,
        PADDING,
        NOTHING
    }

    /** The parts of an archive: an entry, and after a file's entry its content. */
    sealed interface Part {
        record Entry(TarEntry entry) implements Part {}

        record Content(ByteString bytes) implements Part {}
    }

    /** Consumes the next bytes. */
    List<Part> add(ByteString bytes) {
        waiting = waiting.isEmpty() ? bytes : waiting.concat(bytes);
        List<Part> parts = new ArrayList<>();
        boolean progress = true;
        while (progress) {
            progress = switch (expected) {
                case HEADER -> onHeader(parts);
                case META -> onMeta();
                case CONTENT -> onContent(parts);
                case PADDING -> onPadding();
                case NOTHING -> false;
            };
        }
        waiting = isOver() ? ByteString.emptyByteString() : waiting.compact();
        return parts;
    }

    /** Whether the archive's end marker was reached; bytes behind it are ignored. */
    boolean isOver() {
        return expected == Expected.NOTHING;
    }

    /** The input has ended. */
    void end() {
        if (!isOver()) {
            throw new BadArchive("it is cut off: its end is missing");
        }
    }

    private ByteString take(int count) {
        ByteString taken = waiting.take(count);
        waiting = waiting.drop(count);
        return taken;
    }

    private boolean onHeader(List<Part> parts) {
        if (waiting.size() < TarHeader.BLOCK_BYTES) {
            return false;
        }
        byte[] block = take(TarHeader.BLOCK_BYTES).toArray();
        if (isZero(block)) {
            expected = Expected.NOTHING;
            return false;
        }
        count(TarHeader.BLOCK_BYTES);
        TarHeader header = TarHeader.parse(block);
        switch (header.type()) {
            case 'L', 'K', 'x', 'g' -> beginMeta(header);
            case 'V' -> begin(Expected.HEADER, 0);
            default -> {
                TarEntry entry = entry(header);
                parts.add(new Part.Entry(entry));
                begin(Expected.CONTENT, entry.size());
            }
        }
        return true;
    }

    private static boolean isZero(byte[] block) {
        for (byte one : block) {
            if (one != 0) {
                return false;
            }
        }
        return true;
    }

    private void count(long bytes) {
        headerBytes += bytes;
        if (headerBytes > HEADER_BYTES_MAX) {
            throw new BadArchive("its headers are more than " + (HEADER_BYTES_MAX >> 20) + " MiB");
        }
    }

    private void begin(Expected next, long size) {
        expected = next;
        contentLeft = size;
        paddingLeft = (int) (-size & (TarHeader.BLOCK_BYTES - 1));
    }

    private void beginMeta(TarHeader header) {
        if (header.size() < 0 || header.size() > META_BYTES_MAX - metaBytes) {
            throw new BadArchive("it has an entry whose names and extended headers are more than "
                    + (META_BYTES_MAX >> 10) + " KiB");
        }
        count(header.size());
        metaBytes += (int) header.size();
        metaType = header.type();
        begin(Expected.META, header.size());
    }

    private boolean onMeta() {
        if (waiting.size() < contentLeft) {
            return false;
        }
        byte[] content = take((int) contentLeft).toArray();
        switch (metaType) {
            case 'L' -> longName = Optional.of(TarHeader.untilNul(content));
            case 'K' -> longTarget = Optional.of(TarHeader.untilNul(content));
            case 'x' -> records = records.with(content);
                // A global header applies to all following entries; the records that matter here are given per entry.
            default -> PaxRecords.NONE.with(content);
        }
        expected = Expected.PADDING;
        return true;
    }

    private boolean onContent(List<Part> parts) {
        int count = (int) Math.min(contentLeft, waiting.size());
        if (count > 0) {
            parts.add(new Part.Content(take(count)));
            contentLeft -= count;
        }
        if (contentLeft > 0) {
            return false;
        }
        expected = Expected.PADDING;
        return true;
    }

    private boolean onPadding() {
        int count = Math.min(paddingLeft, waiting.size());
        take(count);
        paddingLeft -= count;
        if (paddingLeft > 0) {
            return false;
        }
        expected = Expected.HEADER;
        return true;
    }

    /** The entry of a header, with the records before it. */
    private TarEntry entry(TarHeader header) {
        byte[] rawName =
                records.path().or(() -> longName).orElseGet(() -> header.name().toArray());
        String name = TarHeader.utf8(rawName);
        TarEntry.Type type = type(header.type(), name);
        long size = records.size().orElse(header.size());
        if (type != TarEntry.Type.FILE && size != 0) {
            throw BadArchive.entry(name, "is no file and has a content");
        }
        if (size < 0) {
            throw BadArchive.entry(name, "has a size that is negative");
        }
        boolean isLink = type == TarEntry.Type.SYMBOLIC_LINK || type == TarEntry.Type.HARD_LINK;
        String target = isLink
                ? TarHeader.utf8(records.target().or(() -> longTarget).orElseGet(() -> header.target()
                        .toArray()))
                : "";
        longName = Optional.empty();
        longTarget = Optional.empty();
        records = PaxRecords.NONE;
        metaBytes = 0;
        return new TarEntry(name, type, new FileMode(header.mode() & 0777), size, target);
    }

    private static TarEntry.Type type(char flag, String name) {
        return switch (flag) {
                // Archives older than type flags mark a folder by a trailing slash.
            case '0', '\0' -> name.endsWith("/") ? TarEntry.Type.FOLDER : TarEntry.Type.FILE;
            case '7' -> TarEntry.Type.FILE;
            case '1' -> TarEntry.Type.HARD_LINK;
            case '2' -> TarEntry.Type.SYMBOLIC_LINK;
            case '3', '4' -> throw BadArchive.entry(name, "is a device, which no agent can be given");
            case '5' -> TarEntry.Type.FOLDER;
            case '6' -> throw BadArchive.entry(name, "is a pipe: leave it out, and have the agent make it");
            case 'S' -> throw PaxRecords.sparse();
            case 'M' -> throw BadArchive.entry(name, "goes on from another archive: pack all into one");
            default -> throw BadArchive.entry(
                    name,
                    "is of a kind that is not known ("
                            + (flag > ' ' && flag < 0x7f ? Character.toString(flag) : Integer.toString(flag)) + ")");
        };
    }
}
