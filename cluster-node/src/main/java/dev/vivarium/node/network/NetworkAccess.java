package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressPolicy;

/**
 * A sandbox's access to the network.
 *
 * @param policy what it may reach
 * @param connectionsMax the number of connections that it may open to the outside
 */
public record NetworkAccess(EgressPolicy policy, long connectionsMax) {}
