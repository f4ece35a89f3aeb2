package dev.vivarium.node.http.server.http2;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.pekko.util.ByteString;

/** Reads an answer as this node's own HTTP/1.1 writes it: interim heads, one head, and a body in one of its three forms. */
final class AnswerReader {
    private static final ByteString LINE_END = ByteString.fromString("\r\n");
    private static final ByteString HEAD_END = ByteString.fromString("\r\n\r\n");
    /** Of its own server, which writes far less. */
    private static final int HEAD_BYTES_MAX = 64 << 10;

    private static final Set<String> OF_CONNECTIONS =
            Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

    /** What was read. */
    sealed interface Part {
        /** A head; after an interim one, another follows. */
        record Head(List<Header> lines, boolean isInterim) implements Part {}

        record Body(ByteString bytes) implements Part {}

        /** Its end, with the lines that follow a body. */
        record End(List<Header> trailers) implements Part {}
    }

    private enum Next {
        HEAD,
        COUNTED,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END,
        TRAILERS,
        UNTIL_THE_END,
        NOTHING
    }

    private final boolean toHead;
    private ByteString unread = ByteString.emptyByteString();
    private Next next = Next.HEAD;
    private long left;

    /** @param toHead whether it answers HEAD */
    AnswerReader(boolean toHead) {
        this.toHead = toHead;
    }

    /** Reads on. */
    List<Part> read(ByteString bytes) {
        unread = unread.concat(bytes);
        List<Part> parts = new ArrayList<>();
        while (step(parts)) {
            // One part after another.
        }
        return parts;
    }

    /** Its sender has ended; whether the answer has too. */
    boolean isWhole() {
        return next == Next.NOTHING || next == Next.UNTIL_THE_END;
    }

    private boolean step(List<Part> parts) {
        return switch (next) {
            case HEAD -> head(parts);
            case COUNTED, CHUNK -> counted(parts);
            case CHUNK_SIZE -> chunkSize();
            case CHUNK_END -> chunkEnd();
            case TRAILERS -> trailers(parts);
            case UNTIL_THE_END -> rest(parts);
            case NOTHING -> false;
        };
    }

    private boolean head(List<Part> parts) {
        int end = unread.indexOfSlice(HEAD_END, 0);
        if (end < 0) {
            if (unread.size() > HEAD_BYTES_MAX) {
                throw new IllegalStateException("The node has written a head without an end.");
            }
            return false;
        }
        String[] lines = unread.take(end).decodeString("ISO-8859-1").split("\r\n", -1);
        unread = unread.drop(end + HEAD_END.size());
        String status = lines[0].substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length());
        List<Header> all = headers(lines, 1);
        boolean interim = status.startsWith("1");
        List<Header> sent = new ArrayList<>();
        sent.add(new Header(":status", status));
        all.stream().filter(line -> !OF_CONNECTIONS.contains(line.name())).forEach(sent::add);
        parts.add(new Part.Head(sent, interim));
        if (!interim) {
            next = bodyOf(status, all);
            endIfNothingIsLeft(parts);
        }
        return true;
    }

    private Next bodyOf(String status, List<Header> lines) {
        if (toHead || status.equals("204") || status.equals("304")) {
            return Next.COUNTED;
        }
        for (Header line : lines) {
            if (line.name().equals("transfer-encoding")) {
                return Next.CHUNK_SIZE;
            }
            if (line.name().equals("content-length")) {
                left = Long.parseLong(line.value());
                return Next.COUNTED;
            }
        }
        return Next.UNTIL_THE_END;
    }

    private void endIfNothingIsLeft(List<Part> parts) {
        if (next == Next.COUNTED && left == 0) {
            next = Next.NOTHING;
            parts.add(new Part.End(List.of()));
        }
    }

    private boolean counted(List<Part> parts) {
        if (unread.isEmpty()) {
            return false;
        }
        ByteString taken = unread.take((int) Math.min(left, unread.size()));
        unread = unread.drop(taken.size());
        left -= taken.size();
        parts.add(new Part.Body(taken));
        if (next == Next.CHUNK && left == 0) {
            next = Next.CHUNK_END;
        }
        endIfNothingIsLeft(parts);
        return true;
    }

    private boolean chunkSize() {
        int end = unread.indexOfSlice(LINE_END, 0);
        if (end < 0) {
            return false;
        }
        String size = unread.take(end).utf8String();
        int extension = size.indexOf(';');
        left = Long.parseLong(extension < 0 ? size : size.substring(0, extension), 16);
        // The line end stays, as the first half of the trailers' end where there is none.
        unread = unread.drop(left == 0 ? end : end + LINE_END.size());
        next = left == 0 ? Next.TRAILERS : Next.CHUNK;
        return true;
    }

    private boolean chunkEnd() {
        if (unread.size() < LINE_END.size()) {
            return false;
        }
        unread = unread.drop(LINE_END.size());
        next = Next.CHUNK_SIZE;
        return true;
    }

    private boolean trailers(List<Part> parts) {
        int end = unread.indexOfSlice(HEAD_END, 0);
        if (end < 0) {
            return false;
        }
        String[] lines = unread.take(end).decodeString("ISO-8859-1").split("\r\n", -1);
        unread = ByteString.emptyByteString();
        next = Next.NOTHING;
        parts.add(new Part.End(headers(lines, 1)));
        return true;
    }

    private boolean rest(List<Part> parts) {
        if (!unread.isEmpty()) {
            parts.add(new Part.Body(unread));
            unread = ByteString.emptyByteString();
        }
        return false;
    }

    private static List<Header> headers(String[] lines, int from) {
        List<Header> headers = new ArrayList<>();
        for (int at = from; at < lines.length; at++) {
            int colon = lines[at].indexOf(':');
            if (colon > 0) {
                headers.add(new Header(
                        lines[at].substring(0, colon).toLowerCase(Locale.ROOT),
                        lines[at].substring(colon + 1).strip()));
            }
        }
        return headers;
    }
}
