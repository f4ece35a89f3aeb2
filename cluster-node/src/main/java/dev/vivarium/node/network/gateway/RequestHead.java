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

/** A request's head, judged before it has any effect. */
sealed interface RequestHead {
    int HTTP_PORT = 80;
    int PROXY_PORT = 3128;

    /** The port that a request came through. */
    enum ProxyMode {
        /** Port 80: the client takes the gateway for the host itself. */
        TRANSPARENT,
        /** Port 3128: the client knows that it uses a proxy. */
        PROXY
    }

    /** A request to a host, as it is passed on. */
    record Forward(Target target, String path) implements RequestHead {}

    /** A CONNECT request. */
    record Tunnel(Target target) implements RequestHead {}

    /** Invalid, or in a form that two parsers could read differently. */
    record Refused(Denial denial) implements RequestHead {}

    /** Headers between two adjacent parties (RFC 9110, section 7.6.1), and those from a client to its proxy. */
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

    /** Headers that frame and address a message; a Connection header cannot remove them. */
    Set<String> NEVER_NOMINATED = Set.of("host", "content-length", "transfer-encoding");

    Pattern ABSOLUTE = Pattern.compile("(?i:http)://([^/?#]*)([^#]*)");

    static RequestHead of(HttpRequest request, ProxyMode mode) {
        int wanted = mode == ProxyMode.PROXY ? PROXY_PORT : HTTP_PORT;
        if (request.decoderResult().isFailure()) {
            return malformed(wanted, "The request cannot be read, or its head is too large: send plain HTTP/1.1.");
        }
        Optional<RequestHead> ambiguous = ambiguous(request, wanted);
        if (ambiguous.isPresent()) {
            return ambiguous.get();
        }
        if (request.method().equals(HttpMethod.CONNECT)) {
            return tunnel(request, mode);
        }
        return mode == ProxyMode.PROXY ? absolute(request) : origin(request);
    }

    /** Framing and hosts that parsers disagree about. */
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

    private static RequestHead tunnel(HttpRequest request, ProxyMode mode) {
        int port = mode == ProxyMode.PROXY ? PROXY_PORT : HTTP_PORT;
        if (mode != ProxyMode.PROXY) {
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
                    "The proxy takes http:// URLs, and CONNECT for everything else: set HTTP_PROXY and HTTPS_PROXY as"
                            + " they are in the environment.");
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

    /**
     * Judges a request in a tunnel. Its server prefers a URL in the request line to the Host header. HTTP/1.0 need not
     * name a host.
     */
    static RequestHead inTunnel(HttpRequest request, OpenTunnel tunnel) {
        Target target = tunnel.target();
        Optional<RequestHead> ambiguous = ambiguous(request, target.port());
        if (ambiguous.isPresent()) {
            return ambiguous.get();
        }
        Optional<String> host = Optional.ofNullable(request.headers().get(HttpHeaderNames.HOST));
        boolean named = host.isPresent() || request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        Matcher uri = ABSOLUTE.matcher(request.uri());
        boolean absolute = uri.matches();
        if (request.method().equals(HttpMethod.CONNECT)
                || !named
                || (!absolute
                        && !request.uri().startsWith("/")
                        && !request.uri().equals("*"))) {
            return malformed(target.port(), "A tunnel carries plain requests with a path and a Host header.");
        }
        boolean agrees = agrees(host, tunnel) && (!absolute || agrees(Optional.of(uri.group(1)), tunnel));
        return agrees ? new Forward(target, request.uri()) : mismatch(target);
    }

    private static boolean agrees(Optional<String> authority, OpenTunnel tunnel) {
        if (authority.isEmpty()) {
            return true;
        }
        Optional<Target> named = Target.parse(authority.get(), tunnel.target().port());
        return named.equals(Optional.of(tunnel.target()))
                || named.filter(Target.Named.class::isInstance)
                        .filter(other -> tunnel.agrees(Optional.of(other.host())))
                        .isPresent();
    }

    /** Removes headers for the gateway only, and sets the Host header to the judged host. */
    static void makeForward(HttpRequest request, Forward forward) {
        HttpHeaders headers = request.headers();
        withoutHopByHop(headers);
        Target target = forward.target();
        headers.set(
                HttpHeaderNames.HOST, target.port() == HTTP_PORT ? target.host() : target.host() + ":" + target.port());
        // One request per connection to the outside, so that none can hide behind another.
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        request.setUri(forward.path());
        request.setProtocolVersion(HttpVersion.HTTP_1_1);
    }

    /** Removes hop-by-hop headers. */
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
