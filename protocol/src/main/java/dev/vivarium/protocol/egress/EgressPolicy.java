package dev.vivarium.protocol.egress;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a sandbox may reach over the network.
 *
 * @param mode the class of destinations
 * @param allow the destinations of mode {@code allowlist}, at most {@value #DESTINATIONS_MAX}; empty in other modes. An
 *     allowlist without destinations allows nothing
 * @param inject headers that the node adds to requests, at most {@value #INJECTIONS_MAX}, each for a host that is listed
 *     with port {@value InjectedHeader#PORT}; empty in other modes
 */
public record EgressPolicy(
        Mode mode,
        @JsonSetter(nulls = Nulls.AS_EMPTY) List<EgressDestination> allow,
        @JsonSetter(nulls = Nulls.AS_EMPTY) List<InjectedHeader> inject) {
    /** The most destinations in one policy. Each name lookup is matched against all of them. */
    public static final int DESTINATIONS_MAX = 256;

    /** The most injected headers in one policy. */
    public static final int INJECTIONS_MAX = 16;

    private static final EgressPolicy NONE = new EgressPolicy(Mode.NONE);
    private static final EgressPolicy PUBLIC = new EgressPolicy(Mode.PUBLIC);

    /** The classes of destinations, strictest first. */
    public enum Mode {
        /** No network at all: only the sandbox's loopback interface. */
        @JsonProperty("none")
        NONE,
        /** Named hosts and CIDRs only. */
        @JsonProperty("allowlist")
        ALLOWLIST,
        /** The internet, without private or internal addresses. */
        @JsonProperty("public")
        PUBLIC
    }

    public EgressPolicy {
        allow = List.copyOf(allow);
        inject = List.copyOf(inject);
        if (allow.size() > DESTINATIONS_MAX) {
            throw new IllegalArgumentException("lists " + allow.size() + " destinations; at most " + DESTINATIONS_MAX
                    + " can be given: use a wildcard such as *.example.com");
        }
        if (mode != Mode.ALLOWLIST && !allow.isEmpty()) {
            throw new IllegalArgumentException("lists destinations, which only mode allowlist does");
        }
        if (inject.size() > INJECTIONS_MAX) {
            throw new IllegalArgumentException(
                    "adds " + inject.size() + " headers; at most " + INJECTIONS_MAX + " can be given");
        }
        for (int index = 0; index < inject.size(); index++) {
            requireApart(inject.get(index), inject.subList(0, index));
            requireListed(inject.get(index), allow);
        }
    }

    private static void requireApart(InjectedHeader header, List<InjectedHeader> before) {
        if (before.stream().anyMatch(other -> other.host().equals(header.host()) && other.looksLike(header.header()))) {
            throw new IllegalArgumentException(
                    "adds the header " + header.header() + " to requests to " + header.host() + " twice: name it once");
        }
    }

    private static void requireListed(InjectedHeader header, List<EgressDestination> allow) {
        if (allow.stream()
                .noneMatch(destination ->
                        destination.covers(header.host()) && destination.ports().contains(InjectedHeader.PORT))) {
            throw new IllegalArgumentException(
                    "adds a header to requests to " + header.host() + ", which is not listed: add \"" + header.host()
                            + ":" + InjectedHeader.PORT + "\" to egress.allow");
        }
    }

    /** A policy without injected headers. */
    public EgressPolicy(Mode mode, List<EgressDestination> allow) {
        this(mode, allow, List.of());
    }

    /** A policy that lists no destinations. */
    public EgressPolicy(Mode mode) {
        this(mode, List.of(), List.of());
    }

    /** No network at all. */
    public static EgressPolicy none() {
        return NONE;
    }

    /** The internet, without private or internal addresses. */
    public static EgressPolicy publicInternet() {
        return PUBLIC;
    }

    /**
     * These destinations only.
     *
     * @throws IllegalArgumentException with a sentence for the user when there are too many
     */
    public static EgressPolicy allowlist(List<EgressDestination> allow) {
        return new EgressPolicy(Mode.ALLOWLIST, allow);
    }

    /**
     * The destinations whose text covers this name. How deep a wildcard really reaches is for the node to decide, which knows
     * below which names strangers register. A name is never covered through its address.
     */
    public List<EgressDestination> covering(HostName name) {
        return allow.stream().filter(destination -> destination.covers(name)).toList();
    }

    /** Whether the list has exactly this name, and not just a wildcard that covers it. */
    public boolean names(HostName name) {
        return allow.stream()
                .anyMatch(destination -> destination instanceof EgressDestination.Host && destination.covers(name));
    }

    /** Whether the allowlist covers this address, alone or in a block, with this port. */
    public boolean lists(Ipv4Block address, int port) {
        return allow.stream()
                .anyMatch(destination ->
                        destination.covers(address) && destination.ports().contains(port));
    }

    /** The headers that the node adds to requests to this host; empty for most. */
    public List<InjectedHeader> injectedFor(HostName name) {
        return inject.stream().filter(header -> header.host().equals(name)).toList();
    }

    /** Secrets that the node injects into requests and therefore does not give to the agent. */
    public Set<String> injectedSecrets() {
        return inject.stream().map(InjectedHeader::secret).collect(Collectors.toUnmodifiableSet());
    }
}
