package dev.vivarium.node.http.v1;

import java.net.URI;
import java.net.http.HttpClient.Version;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.net.ssl.SSLSession;

/** A response read as bytes from a connection, for requests that Java's client cannot send. */
record RawResponse(HttpRequest request, int statusCode, HttpHeaders headers, String body)
        implements HttpResponse<String> {
    /** Parses everything received until the connection's end: one response, whose body is not chunked. */
    static RawResponse of(HttpRequest request, String text) {
        String[] parts = text.split("\r\n\r\n", 2);
        List<String> lines = parts[0].lines().toList();
        Map<String, List<String>> headers = lines.stream()
                .skip(1)
                .map(line -> line.split(": ", 2))
                .collect(Collectors.groupingBy(
                        pair -> pair[0], TreeMap::new, Collectors.mapping(pair -> pair[1], Collectors.toList())));
        return new RawResponse(
                request,
                Integer.parseInt(lines.get(0).split(" ", 3)[1]),
                HttpHeaders.of(headers, (name, value) -> true),
                parts[1]);
    }

    @Override
    public Optional<HttpResponse<String>> previousResponse() {
        return Optional.empty();
    }

    @Override
    public Optional<SSLSession> sslSession() {
        return Optional.empty();
    }

    @Override
    public URI uri() {
        return request.uri();
    }

    @Override
    public Version version() {
        return Version.HTTP_1_1;
    }
}
