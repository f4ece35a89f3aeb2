package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressPolicy;

/**
 * What a sandbox may do with its network.
 *
 * @param policy what it may reach
 * @param connectionsMax connections that it may open to the outside
 */
public record NetworkAccess(EgressPolicy policy, long connectionsMax) {}
