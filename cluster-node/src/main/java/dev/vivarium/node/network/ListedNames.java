package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import java.util.stream.Stream;

/**
 * Which names an allowlist covers, for admission, resolver and gateway alike. A wildcard ends at a public suffix below its
 * domain: {@code *.amazonaws.com} has sts.amazonaws.com, and neither s3.amazonaws.com nor anyone's bucket there.
 */
public final class ListedNames {
    private ListedNames() {}

    /** Whether the policy has this name, on any port. */
    public static boolean contains(EgressPolicy policy, HostName name) {
        return covering(policy, name).findAny().isPresent();
    }

    /** Whether the policy has this name with this port. */
    public static boolean contains(EgressPolicy policy, HostName name, int port) {
        return covering(policy, name)
                .anyMatch(destination -> destination.ports().contains(port));
    }

    private static Stream<EgressDestination> covering(EgressPolicy policy, HostName name) {
        return policy.covering(name).stream()
                .filter(destination -> !(destination instanceof EgressDestination.Subdomains below
                        && PublicSuffixes.areBetween(below.domain(), name)));
    }
}
