package dev.vivarium.node.network.gateway;

import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The destination of a connection. */
sealed interface Target {
    /** A host without a colon and an optional port: IPv6 is not supported. */
    Pattern AUTHORITY = Pattern.compile("([^:@\\[\\]]+)(?::([1-9][0-9]{0,4}))?");

    int PORT_MAX = 65535;

    int port();

    /** The name or address, as it is reported. */
    String host();

    /** A host by its name. */
    record Named(HostName name, int port) implements Target {
        @Override
        public String host() {
            return name.value();
        }
    }

    /** A literal address. */
    record Literal(Ipv4Block address, int port) implements Target {
        @Override
        public String host() {
            return address.toString();
        }
    }

    /** Parses {@code host[:port]} without user information; empty when it has another form. */
    static Optional<Target> parse(String authority, int defaultPort) {
        Matcher matcher = AUTHORITY.matcher(authority);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String host = matcher.group(1);
        int port = matcher.group(2) == null ? defaultPort : Integer.parseInt(matcher.group(2));
        if (port < 1 || port > PORT_MAX) {
            return Optional.empty();
        }
        Optional<Target> named = HostName.received(host).map(name -> new Named(name, port));
        return named.isPresent() ? named : literal(host, port);
    }

    private static Optional<Target> literal(String host, int port) {
        try {
            return host.indexOf('/') >= 0 ? Optional.empty() : Optional.of(new Literal(Ipv4Block.parse(host), port));
        } catch (IllegalArgumentException notAnAddress) {
            return Optional.empty();
        }
    }
}
