package dev.vivarium.node.webhook;

import com.google.common.net.InetAddresses;
import dev.vivarium.protocol.egress.HostName;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The URL of a webhook, taken apart. Stricter than RFC 3986, so that no two programs can read it differently: ASCII only, no
 * user information, no fragment, hosts that are names or whole addresses in their usual notation, and ports of HTTP.
 *
 * @param scheme http or https
 * @param host a name in lower case, or an address without brackets
 * @param literal the address, if the host is one
 * @param port from 1 to 65535
 * @param target path and query, as they are sent; begins with a slash
 */
public record WebhookUrl(Scheme scheme, String host, Optional<InetAddress> literal, int port, String target) {
    /** The longest URL, in characters. */
    public static final int LENGTH_MAX = 2_048;

    /** Lower ones are of other protocols, which a request could be meant for. */
    private static final int FREE_PORTS = 1_024;

    private static final Pattern SHAPE = Pattern.compile(
            "(?<scheme>https?)://(?<host>\\[[0-9A-Fa-f:.]{2,45}]|[A-Za-z0-9._-]{1,253})(?::(?<port>[1-9][0-9]{0,4}))?"
                    + "(?<target>(?:/[!-~&&[^#\\\\]]*)?(?:\\?[!-~&&[^#\\\\]]*)?)");
    private static final Pattern PRINTABLE = Pattern.compile("[!-~]*");
    private static final Pattern IPV4 = Pattern.compile("(?:(?:0|[1-9][0-9]{0,2})\\.){3}(?:0|[1-9][0-9]{0,2})");

    /** The schemes, and their usual ports. */
    public enum Scheme {
        HTTP(80),
        HTTPS(443);

        private final int port;

        Scheme(int port) {
            this.port = port;
        }
    }

    /**
     * Takes a URL apart.
     *
     * @throws IllegalArgumentException with a predicate to follow the field's name, when it is not one
     */
    public static WebhookUrl parse(String text) {
        if (text.length() > LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "has " + text.length() + " characters; at most " + LENGTH_MAX + " can be given");
        }
        if (!PRINTABLE.matcher(text).matches()) {
            throw new IllegalArgumentException("has characters that are not printable ASCII: write a name in its ASCII"
                    + " form (xn--...), and others percent-encoded");
        }
        if (!text.startsWith("http://") && !text.startsWith("https://")) {
            throw new IllegalArgumentException("must begin with https:// or http://");
        }
        if (text.indexOf('#') >= 0) {
            throw new IllegalArgumentException("must not have a fragment (#), which is never sent");
        }
        String authority = text.substring(text.indexOf("//") + 2).split("[/?]", 2)[0];
        if (authority.indexOf('@') >= 0) {
            throw new IllegalArgumentException("must not have a user name or password: messages are signed instead, and"
                    + " everybody who sees the run sees the URL");
        }
        Matcher parts = SHAPE.matcher(text);
        if (!parts.matches() || !isUri(text)) {
            throw new IllegalArgumentException("is not a URL: write one such as https://hooks.example.com/runs");
        }
        Scheme scheme = parts.group("scheme").equals("https") ? Scheme.HTTPS : Scheme.HTTP;
        int port =
                Optional.ofNullable(parts.group("port")).map(Integer::parseInt).orElse(scheme.port);
        if (port > 0xffff || (port < FREE_PORTS && port != Scheme.HTTP.port && port != Scheme.HTTPS.port)) {
            throw new IllegalArgumentException("has port " + port + ": the port must be 80, 443, or from " + FREE_PORTS
                    + " to 65535, since lower ones are those of other protocols");
        }
        return of(scheme, parts.group("host"), port, parts.group("target"));
    }

    private static WebhookUrl of(Scheme scheme, String host, int port, String target) {
        String sent = target.startsWith("/") ? target : "/" + target;
        if (host.startsWith("[")) {
            String address = host.substring(1, host.length() - 1);
            if (!InetAddresses.isInetAddress(address)) {
                throw new IllegalArgumentException("has a host that is no IPv6 address: " + host);
            }
            return new WebhookUrl(scheme, address, Optional.of(InetAddresses.forString(address)), port, sent);
        }
        if (IPV4.matcher(host).matches() && InetAddresses.isInetAddress(host)) {
            return new WebhookUrl(scheme, host, Optional.of(InetAddresses.forString(host)), port, sent);
        }
        HostName name = HostName.received(host)
                .orElseThrow(() -> new IllegalArgumentException(
                        "has a host that is neither a name such as hooks.example.com nor an IPv4 address of four"
                                + " decimal numbers, nor an IPv6 address in brackets"));
        return new WebhookUrl(scheme, name.value(), Optional.empty(), port, sent);
    }

    private static boolean isUri(String text) {
        try {
            return new URI(text).getRawFragment() == null;
        } catch (URISyntaxException malformed) {
            return false;
        }
    }

    /** What shares a fate: one server, as its clients name it. */
    String endpoint() {
        return scheme + " " + host + " " + port;
    }
}
