package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.DenialReason;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the head of a request says, judged before anything is done about it. */
sealed interface RequestHead {
    int HTTP_PORT = 80;
    int PROXY_PORT = 3128;

    /** Which door a request came through. */
    enum Door {
        /** Port 80: the client takes the gateway for the host itself. */
        TRANSPARENT,
        /** Port 3128: the client knows that it speaks to a proxy. */
        PROXY
    }

    /** A request for a host, as it is passed on. */
    record Forward(Target target, String path) implements RequestHead {}

    /** A tunnel. */
    record Tunnel(Target target) implements RequestHead {}

    /** Neither, or in a form that two readers could read differently. */
    record Refused(Denial denial) implements RequestHead {}

    /** Between two neighbours only, RFC 9110 section 7.6.1; and what a client says to its proxy. */
    Set<String> HOP_BY_HOP = Set.of(
            "connection",
            "expect",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "upgrade");

    /** Those say where a message ends and whom it is for, whatever a Connection header says. */
    Set<String> NEVER_NOMINATED = Set.of("host", "content-length", "transfer-encoding");

    Pattern ABSOLUTE = Pattern.compile("(?i:http)://([^/?#]*)([^#]*)");

    static RequestHead of(HttpRequest request, Door door) {
        int wanted = door == Door.PROXY ? PROXY_PORT : HTTP_PORT;
        if (request.decoderResult().isFailure()) {
            return malformed(wanted, "The request cannot be read, or its head is too large: send plain HTTP/1.1.");
        }
        Optional<RequestHead> ambiguous = ambiguous(request, wanted);
        if (ambiguous.isPresent()) {
            return ambiguous.get();
        }
        if (request.method().equals(HttpMethod.CONNECT)) {
            return tunnel(request, door);
        }
        return door == Door.PROXY ? absolute(request) : origin(request);
    }

    /** Framing and hosts that one reader takes for this and the next for that. */
    private static Optional<RequestHead> ambiguous(HttpRequest request, int wanted) {
        HttpHeaders headers = request.headers();
        List<String> codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
        boolean chunked = codings.equals(List.of("chunked"));
        if (!codings.isEmpty() && (!chunked || headers.contains(HttpHeaderNames.CONTENT_LENGTH))) {
            return Optional.of(malformed(
                    wanted,
                    "The request has two lengths, or a transfer coding beside chunked: send one Content-Length."));
        }
        if (!codings.isEmpty() && !request.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
            return Optional.of(malformed(wanted, "Only HTTP/1.1 has transfer codings: send a Content-Length."));
        }
        if (headers.getAll(HttpHeaderNames.CONTENT_LENGTH).size() > 1
                || headers.getAll(HttpHeaderNames.HOST).size() > 1) {
            return Optional.of(malformed(wanted, "The request has two lengths or two hosts: send one of each."));
        }
        if (!request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && !request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            return Optional.of(malformed(wanted, "The gateway speaks HTTP/1.1 and HTTP/1.0 only."));
        }
        return Optional.empty();
    }

    private static RequestHead tunnel(HttpRequest request, Door door) {
        int port = door == Door.PROXY ? PROXY_PORT : HTTP_PORT;
        if (door != Door.PROXY) {
            return malformed(port, "Tunnels are opened through the proxy: see HTTPS_PROXY in the environment.");
        }
        Optional<Target> target = request.uri().indexOf(':') < 0 ? Optional.empty() : Target.parse(request.uri(), 1);
        if (target.isEmpty()) {
            return malformed(port, "CONNECT needs a host and a port, such as api.example.com:443.");
        }
        String host = request.headers().get(HttpHeaderNames.HOST);
        if (host != null && !Target.parse(host, target.get().port()).equals(target)) {
            return mismatch(target.get());
        }
        return new Tunnel(target.get());
    }

    private static RequestHead absolute(HttpRequest request) {
        Matcher uri = ABSOLUTE.matcher(request.uri());
        if (!uri.matches()) {
            return malformed(
                    PROXY_PORT,
                    "The proxy takes http:// URLs, and CONNECT for everything else: set HTTP_PROXY and HTTPS_PROXY as they"
                            + " are in the environment.");
        }
        Optional<Target> target = Target.parse(uri.group(1), HTTP_PORT);
        if (target.isEmpty()) {
            return malformed(
                    PROXY_PORT, "The URL needs a host, without a user before it: http://api.example.com/path.");
        }
        String host = request.headers().get(HttpHeaderNames.HOST);
        if (host == null
                ? request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                : !Target.parse(host, HTTP_PORT).equals(target)) {
            return mismatch(target.get());
        }
        String path = uri.group(2);
        return new Forward(target.get(), path.startsWith("/") ? path : "/" + path);
    }

    private static RequestHead origin(HttpRequest request) {
        String host = request.headers().get(HttpHeaderNames.HOST);
        Optional<Target> target = host == null ? Optional.empty() : Target.parse(host, HTTP_PORT);
        if (target.isEmpty()) {
            return malformed(HTTP_PORT, "The request needs a Host header that names its host.");
        }
        if (target.get().port() != HTTP_PORT) {
            return mismatch(target.get());
        }
        if (!request.uri().startsWith("/") && !request.uri().equals("*")) {
            return malformed(
                    HTTP_PORT, "The request needs a path after its method: URLs are for the proxy on port 3128.");
        }
        return new Forward(target.get(), request.uri());
    }

    /** Takes away what was meant for the gateway only, and says anew whom the request is for. */
    static void makeForward(HttpRequest request, Forward forward) {
        HttpHeaders headers = request.headers();
        withoutHopByHop(headers);
        Target target = forward.target();
        headers.set(
                HttpHeaderNames.HOST, target.port() == HTTP_PORT ? target.host() : target.host() + ":" + target.port());
        // One request for each connection to the outside: none can hide behind another.
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        request.setUri(forward.path());
        request.setProtocolVersion(HttpVersion.HTTP_1_1);
    }

    /** Takes away the headers that are between two neighbours only. */
    static void withoutHopByHop(HttpHeaders headers) {
        Set<String> names = new TreeSet<>(HOP_BY_HOP);
        for (String connection : headers.getAll(HttpHeaderNames.CONNECTION)) {
            for (String nominated : connection.split(",", -1)) {
                names.add(nominated.trim().toLowerCase(Locale.ROOT));
            }
        }
        names.removeAll(NEVER_NOMINATED);
        names.forEach(headers::remove);
    }

    private static RequestHead malformed(int port, String detail) {
        return new Refused(Denial.malformed(port, detail));
    }

    private static RequestHead mismatch(Target target) {
        return new Refused(Denial.of(
                target,
                DenialReason.NAME_MISMATCH,
                "The Host header and what is connected to do not agree: name " + target.host() + ":" + target.port()
                        + " in both."));
    }
}
