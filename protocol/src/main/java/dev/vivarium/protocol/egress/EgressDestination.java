package dev.vivarium.protocol.egress;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * One line of an allowlist: a host, the hosts below a domain, or a block of addresses, each with ports. Its text is
 * {@code host[:ports]}: {@code api.example.com}, {@code *.example.com:443,8443}, {@code 10.1.2.0/24:5432}, {@code
 * 192.0.2.7:8000-8100}.
 *
 * <p>The default ports are 443 and 80, for addresses as for hosts, so that a block listed without ports does not open
 * the databases in it.
 */
public sealed interface EgressDestination {
    /** The longest text of a destination, in characters. */
    int TEXT_LENGTH_MAX = 512;

    /** The ports of this destination. */
    Ports ports();

    /** Whether this destination covers the name, on any port. */
    boolean covers(HostName name);

    /** Whether this destination covers the whole block, on any port. */
    boolean covers(Ipv4Block block);

    /** The canonical text, which {@link #parse} reads back to an equal destination; it always includes the ports. */
    @JsonValue
    String text();

    /**
     * Parses a destination. Names may be in any case, with or without a trailing dot, and in any script (converted to
     * A-labels as in IDNA 2003).
     *
     * @throws IllegalArgumentException with a predicate to follow the field's name, which says what to write instead
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static EgressDestination parse(String text) {
        if (text.isEmpty() || text.length() > TEXT_LENGTH_MAX) {
            throw new IllegalArgumentException("must be 1 to " + TEXT_LENGTH_MAX
                    + " characters such as api.example.com, *.example.com:443 or 203.0.113.0/24:443");
        }
        if (text.contains("://")) {
            throw new IllegalArgumentException(
                    "must be a host and not a URL: write api.example.com or api.example.com:443");
        }
        int colon = text.indexOf(':');
        if (text.startsWith("[") || (colon >= 0 && text.indexOf(':', colon + 1) >= 0)) {
            throw new IllegalArgumentException(
                    "looks like an IPv6 address, and sandboxes have IPv4 only: write an IPv4 address or a host");
        }
        String host = colon < 0 ? text : text.substring(0, colon);
        Ports ports = colon < 0 ? Ports.WEB : Ports.parse(text.substring(colon + 1));
        if (host.indexOf('/') >= 0 || Ipv4Block.looksLikeAddress(host)) {
            return new Addresses(Ipv4Block.parse(host), ports);
        }
        if (host.startsWith("*.")) {
            return new Subdomains(HostName.parse(host.substring(2)), ports);
        }
        if (host.indexOf('*') >= 0) {
            throw new IllegalArgumentException(
                    "can have a wildcard only as its whole first label: write *.example.com, or use mode public for everything");
        }
        return new Host(HostName.parse(host), ports);
    }

    /**
     * Exactly this host.
     *
     * @param name at least two labels
     * @param ports its ports
     */
    record Host(HostName name, Ports ports) implements EgressDestination {
        public Host {
            if (!name.isQualified()) {
                throw new IllegalArgumentException(
                        "must be a full name such as api.example.com: a single label is never resolved");
            }
        }

        @Override
        public boolean covers(HostName other) {
            return name.equals(other);
        }

        @Override
        public boolean covers(Ipv4Block block) {
            return false;
        }

        @Override
        public String text() {
            return name.value() + ":" + ports;
        }
    }

    /**
     * Every host below a domain, and not the domain itself; at any depth, but not beyond a name below which strangers register.
     *
     * @param domain at least two labels
     * @param ports their ports
     */
    record Subdomains(HostName domain, Ports ports) implements EgressDestination {
        public Subdomains {
            if (!domain.isQualified()) {
                throw new IllegalArgumentException("is too wide: name at least a domain, such as *.example.com");
            }
        }

        @Override
        public boolean covers(HostName other) {
            return other.isBelow(domain);
        }

        @Override
        public boolean covers(Ipv4Block block) {
            return false;
        }

        @Override
        public String text() {
            return "*." + domain.value() + ":" + ports;
        }
    }

    /**
     * The addresses of a block. It matches addresses only: a name is not allowed merely because it resolves into the
     * block.
     *
     * @param block one address or more
     * @param ports their ports
     */
    record Addresses(Ipv4Block block, Ports ports) implements EgressDestination {
        @Override
        public boolean covers(HostName name) {
            return false;
        }

        @Override
        public boolean covers(Ipv4Block other) {
            return block.contains(other);
        }

        @Override
        public String text() {
            return block + ":" + ports;
        }
    }
}
