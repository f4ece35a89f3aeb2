package dev.vivarium.node.http.server.http2;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.http.shaded.com.twitter.hpack.Decoder;
import org.apache.pekko.util.ByteString;
import org.apache.pekko.util.ByteStringBuilder;

/**
 * Heads in HPACK (RFC 7541), in both directions. What is sent uses no table, so that there is no state to keep for a client, and
 * neither the client's table nor the compression of secrets beside what an attacker chose matters.
 */
final class HeaderBlocks {
    /** The protocol's default, which this side does not change. */
    private static final int TABLE_BYTES_MAX = 4 << 10;
    /** RFC 7541, section 6.3: the table has no room from now on. */
    private static final byte NO_TABLE = 0x20;

    private final int listBytesMax;
    private final Decoder decoder;

    /** @param listBytesMax names and values of one head, beyond which none of them is kept */
    HeaderBlocks(int listBytesMax) {
        this.listBytesMax = listBytesMax;
        this.decoder = new Decoder(listBytesMax, TABLE_BYTES_MAX);
    }

    /** The lines of a complete block; empty when they are too many. */
    Optional<List<Header>> read(ByteString block) throws ConnectionError {
        List<Header> headers = new ArrayList<>();
        try {
            ByteArrayInputStream in = new ByteArrayInputStream(block.toArray());
            decoder.decode(in, (name, value, parsed, sensitive) -> {
                headers.add(new Header(name, value));
                return parsed;
            });
            if (in.available() > 0) {
                throw malformed();
            }
        } catch (IOException | RuntimeException unreadable) {
            // The tables of both sides differ from now on.
            throw malformed();
        }
        // Lines without a letter cost memory too: RFC 9113, section 6.5.2, counts 32 bytes for each.
        boolean cut = decoder.endHeaderBlock() || headers.size() * 32 > listBytesMax;
        return cut ? Optional.empty() : Optional.of(headers);
    }

    private static ConnectionError malformed() {
        return new ConnectionError(ErrorCode.COMPRESSION_ERROR, "A header block is malformed.");
    }

    /** A block with these lines. */
    static ByteString written(List<Header> headers) {
        ByteStringBuilder out = new ByteStringBuilder();
        out.putByte(NO_TABLE);
        headers.forEach(header -> {
            // Section 6.2.2: literal, neither its name nor itself from a table.
            out.putByte((byte) 0);
            write(header.name(), out);
            write(header.value(), out);
        });
        return out.result();
    }

    private static void write(String text, ByteStringBuilder out) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        writeLength(bytes.length, out);
        out.putBytes(bytes);
    }

    /** Section 5.1, with a prefix of seven bits. */
    private static void writeLength(int length, ByteStringBuilder out) {
        int prefix = 0x7f;
        if (length < prefix) {
            out.putByte((byte) length);
            return;
        }
        out.putByte((byte) prefix);
        int rest = length - prefix;
        while (rest >= 0x80) {
            out.putByte((byte) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.putByte((byte) rest);
    }
}
