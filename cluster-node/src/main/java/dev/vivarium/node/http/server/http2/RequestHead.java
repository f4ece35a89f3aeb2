package dev.vivarium.node.http.server.http2;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.pekko.util.ByteString;

/**
 * The head of a request, as HTTP/1.1 writes it. Nothing passes that HTTP/1.1 could read as something else (RFC 9113, sections
 * 8.2 and 8.3): no line ends, no framing but by the stream, no second name of the host.
 *
 * @param bytes the head
 * @param isHead whether its method is HEAD, whose answers have no content
 * @param framing how its body is written behind it
 */
record RequestHead(ByteString bytes, boolean isHead, Framing framing) {
    /** How a body is framed. */
    sealed interface Framing {
        /** There is none. */
        record None() implements Framing {}

        /** It has this many bytes. */
        record Counted(long bytes) implements Framing {}

        /** It is written in chunks. */
        record Chunked() implements Framing {}
    }

    /** A head that is none. */
    static final class Malformed extends Exception {
        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9a-z-]+");
    /** RFC 9113, section 8.2.1, and no control characters. */
    private static final Pattern VALUE =
            Pattern.compile("|[\\x21-\\x7e\\x80-\\xff]([\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?");

    private static final Pattern PATH = Pattern.compile("/[\\x21\\x22\\x24-\\x7e]*");
    private static final Pattern AUTHORITY = Pattern.compile("[\\x21-\\x7e&&[^@/?#]]+");
    private static final Pattern SCHEME = Pattern.compile("https");
    private static final Pattern DIGITS = Pattern.compile("\\d{1,18}");

    private static final Set<String> PSEUDO = Set.of(":method", ":scheme", ":authority", ":path");
    /** Section 8.2.2. */
    private static final Set<String> OF_CONNECTIONS =
            Set.of("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade");

    private static final Set<String> WRITTEN_APART = Set.of("host", "cookie", "content-length", "te");

    /**
     * Reads the lines of a stream's first block.
     *
     * @param ends whether the request ends with it
     */
    static RequestHead of(List<Header> lines, boolean ends) throws Malformed {
        checkOrder(lines);
        for (Header line : lines) {
            check(line);
        }
        String method = one(lines, ":method", TOKEN);
        one(lines, ":scheme", SCHEME);
        String path = one(lines, ":path", PATH);
        if (method.equals("CONNECT")) {
            throw new Malformed("This is no proxy.");
        }
        Framing framing = framing(lines, ends);
        String rest = lines.stream()
                .filter(line -> !line.name().startsWith(":") && !WRITTEN_APART.contains(line.name()))
                .map(line -> line.name() + ": " + line.value() + "\r\n")
                .collect(Collectors.joining());
        String head = method + " " + path + " HTTP/1.1\r\n"
                + host(lines).map(host -> "host: " + host + "\r\n").orElse("")
                + written(framing, method)
                + cookies(lines)
                + rest
                + "connection: close\r\n\r\n";
        return new RequestHead(
                ByteString.fromArray(head.getBytes(StandardCharsets.ISO_8859_1)), method.equals("HEAD"), framing);
    }

    private static void checkOrder(List<Header> lines) throws Malformed {
        boolean regular = false;
        for (Header line : lines) {
            boolean pseudo = line.name().startsWith(":");
            if (pseudo && regular) {
                throw new Malformed("A pseudo-header comes after a header.");
            }
            regular = !pseudo;
        }
    }

    private static void check(Header line) throws Malformed {
        String name = line.name();
        boolean known = name.startsWith(":")
                ? PSEUDO.contains(name)
                : NAME.matcher(name).matches();
        if (!known
                || OF_CONNECTIONS.contains(name)
                || !VALUE.matcher(line.value()).matches()) {
            throw new Malformed("A header is not one of HTTP/2.");
        }
        if (name.equals("te") && !line.value().equals("trailers")) {
            throw new Malformed("The header TE must be the word trailers.");
        }
    }

    private static List<String> values(List<Header> lines, String name) {
        return lines.stream()
                .filter(line -> line.name().equals(name))
                .map(Header::value)
                .toList();
    }

    private static String one(List<Header> lines, String name, Pattern form) throws Malformed {
        return atMostOne(lines, name, form).orElseThrow(() -> new Malformed("There must be one " + name + "."));
    }

    private static Optional<String> atMostOne(List<Header> lines, String name, Pattern form) throws Malformed {
        List<String> values = values(lines, name);
        if (values.size() > 1 || !values.stream().allMatch(form.asMatchPredicate())) {
            throw new Malformed("There must be one valid " + name + " at most.");
        }
        return values.stream().findFirst();
    }

    /** A host that is named twice is one that two readers could take for two. */
    private static Optional<String> host(List<Header> lines) throws Malformed {
        Optional<String> authority = atMostOne(lines, ":authority", AUTHORITY);
        Optional<String> host = atMostOne(lines, "host", AUTHORITY);
        if (authority.isPresent() && host.isPresent() && !authority.get().equalsIgnoreCase(host.get())) {
            throw new Malformed("Its two names of the host differ.");
        }
        return authority.or(() -> host);
    }

    private static Framing framing(List<Header> lines, boolean ends) throws Malformed {
        Optional<Long> length = atMostOne(lines, "content-length", DIGITS).map(Long::valueOf);
        if (ends && length.filter(Predicate.isEqual(0L).negate()).isPresent()) {
            throw new Malformed("Its body ends before it begins.");
        }
        if (ends) {
            return new Framing.None();
        }
        return length.<Framing>map(Framing.Counted::new).orElseGet(Framing.Chunked::new);
    }

    private static String written(Framing framing, String method) {
        if (framing instanceof Framing.Counted counted) {
            return "content-length: " + counted.bytes() + "\r\n";
        }
        if (framing instanceof Framing.Chunked) {
            return "transfer-encoding: chunked\r\n";
        }
        return method.equals("GET") || method.equals("HEAD") ? "" : "content-length: 0\r\n";
    }

    /** Section 8.2.3: in HTTP/2 they may come in pieces. */
    private static String cookies(List<Header> lines) {
        List<String> cookies = values(lines, "cookie");
        return cookies.isEmpty() ? "" : "cookie: " + String.join("; ", cookies) + "\r\n";
    }
}
