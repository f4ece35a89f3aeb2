package dev.vivarium.node.archive;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.util.ByteString;

/** Builds archives header by header, malformed ones included. */
final class RawTar {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    RawTar entry(char type, String name) {
        return entry(type, name.getBytes(StandardCharsets.UTF_8), 0644, 0, "");
    }

    RawTar entry(char type, String name, int mode) {
        return entry(type, name.getBytes(StandardCharsets.UTF_8), mode, 0, "");
    }

    RawTar link(char type, String name, String target) {
        return entry(type, name.getBytes(StandardCharsets.UTF_8), 0777, 0, target);
    }

    RawTar file(String name, String content) {
        return with('0', name, content);
    }

    /** An entry with content. */
    RawTar with(char type, String name, String content) {
        byte[] data = content.getBytes(StandardCharsets.UTF_8);
        entry(type, name.getBytes(StandardCharsets.UTF_8), 0644, data.length, "");
        bytes.writeBytes(data);
        bytes.writeBytes(TarWriter.padding(data.length).toArray());
        return this;
    }

    RawTar entry(char type, byte[] name, int mode, long size, String target) {
        ByteBuffer block = ByteBuffer.allocate(512);
        block.put(0, name, 0, Math.min(name.length, 100));
        put(block, 100, "%07o".formatted(mode));
        put(
                block,
                124,
                size < 0
                        ? "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"
                        : "%011o".formatted(size));
        put(block, 148, "        ");
        block.put(156, (byte) type);
        put(block, 157, target);
        put(block, 257, "ustar\0" + "00");
        long sum = 0;
        for (byte one : block.array()) {
            sum += Byte.toUnsignedInt(one);
        }
        put(block, 148, "%06o\0 ".formatted(sum));
        bytes.writeBytes(block.array());
        return this;
    }

    private static void put(ByteBuffer block, int at, String text) {
        block.put(at, text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawTar raw(String text) {
        bytes.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    /** The archive without its end marker. */
    ByteString open() {
        return ByteString.fromArray(bytes.toByteArray());
    }

    ByteString closed() {
        return open().concat(TarWriter.END);
    }
}
