package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.HostName;
import io.netty.channel.Channel;
import java.util.Optional;

/**
 * A sandbox's open tunnel, and which names may appear in it.
 *
 * @param subject the sandbox
 * @param target the tunnel's destination
 * @param outside the connection to it
 * @param connector reports denials
 * @param settings limits
 */
record OpenTunnel(
        EgressSubject subject, Target target, Channel outside, UpstreamConnector connector, GatewaySettings settings) {
    /**
     * Whether a name in the tunnel is consistent with its destination. In a tunnel to an address any name is allowed,
     * except those of hosts with a secret. Without a name nothing contradicts the destination.
     */
    boolean agrees(Optional<String> named) {
        if (named.isEmpty()) {
            return true;
        }
        Optional<HostName> name = HostName.received(named.get());
        return target instanceof Target.Named host
                ? name.equals(Optional.of(host.name()))
                : name.map(other -> subject.policy().injectedFor(other).isEmpty())
                        .orElse(true);
    }

    /** Relays both directions from here on. */
    void join(Channel client) {
        Relay.pass(client, outside);
        hear(client);
    }

    /** Relays what comes back. */
    void hear(Channel client) {
        if (outside.pipeline().get(Relay.class) == null) {
            Relay.pass(outside, client);
        }
    }

    /** The client can, or cannot for now, take more from the outside. */
    void clientChanged(Channel client) {
        outside.config().setAutoRead(client.isWritable());
    }

    /** Closes the connection to the outside, since the tunnel carries another host's name. */
    void mismatch(Optional<String> named, String what) {
        String other = named.flatMap(HostName::received).map(HostName::value).orElse(what);
        connector.recordDenial(subject, new Denial(other, target.port(), DenialReason.NAME_MISMATCH, ""));
        Closing.of(outside);
    }

    /** Closes the connection to the outside, since the tunnel's content cannot be parsed or came too slowly. */
    void malformed(Channel client, String what) {
        connector.recordDenial(subject, new Denial(what, target.port(), DenialReason.MALFORMED, ""));
        Closing.of(outside);
        Closing.of(client);
    }
}
