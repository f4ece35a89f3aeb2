package dev.vivarium.client;

import java.io.IOException;
import java.net.http.HttpHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The head of an answer in HTTP/1.1 (RFC 9112), strictly: what a node does not send is refused.
 *
 * @param status the status code
 * @param headers the headers, by name in any case
 */
record AnswerHead(int status, HttpHeaders headers) {
    static final int LINE_BYTES_MAX = 64 << 10;
    static final int HEADERS_MAX = 200;

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-5]\\d\\d)( .*)?");
    private static final Pattern HEADER = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*(.*?)[ \\t]*");
    private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");

    /** Takes the next line, of at most so many bytes. */
    interface Lines {
        String next(int bytesMax) throws IOException;
    }

    /** How the end of a body is known. */
    enum Framing {
        NONE,
        CHUNKED,
        LENGTH,
        /** It ends with the connection. */
        CONNECTION
    }

    /**
     * Reads a head, up to the empty line.
     *
     * @throws IOException when it is none, or too long
     */
    static AnswerHead read(Lines lines) throws IOException {
        int left = LINE_BYTES_MAX;
        String first = lines.next(left);
        Matcher status = STATUS.matcher(first);
        if (!status.matches()) {
            throw new IOException("the answer is not HTTP/1.1");
        }
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        int count = 0;
        left -= first.length();
        for (String line = lines.next(left); !line.isEmpty(); line = lines.next(left)) {
            left -= line.length();
            Matcher header = HEADER.matcher(line);
            if (!header.matches()) {
                throw new IOException("the answer has a header that is none");
            }
            if (++count > HEADERS_MAX) {
                throw new IOException("the answer has more than " + HEADERS_MAX + " headers");
            }
            headers.computeIfAbsent(header.group(1), name -> new ArrayList<>()).add(header.group(2));
        }
        return new AnswerHead(Integer.parseInt(status.group(1)), HttpHeaders.of(headers, (name, value) -> true));
    }

    /** RFC 9112, section 6.3, for requests other than HEAD. */
    Framing framing() throws IOException {
        if (status < 200 || status == 204 || status == 304) {
            return Framing.NONE;
        }
        List<String> codings = headers.allValues("Transfer-Encoding");
        if (!codings.isEmpty()) {
            if (codings.size() > 1 || !codings.get(0).equalsIgnoreCase("chunked") || length().isPresent()) {
                throw new IOException("the answer says in two ways where its body ends");
            }
            return Framing.CHUNKED;
        }
        return length().isPresent() ? Framing.LENGTH : Framing.CONNECTION;
    }

    /** The length that the body has, if the head says so. */
    OptionalLong length() throws IOException {
        List<String> lengths = headers.allValues("Content-Length");
        if (lengths.isEmpty()) {
            return OptionalLong.empty();
        }
        if (lengths.size() > 1 || !LENGTH.matcher(lengths.get(0)).matches()) {
            throw new IOException("the answer's length is none");
        }
        return OptionalLong.of(Long.parseLong(lengths.get(0)));
    }
}
