package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressPolicy;

/**
 * A sandbox that makes a request to the outside.
 *
 * @param sandbox its id
 * @param policy what it may reach
 * @param connectionsMax the total number of connections that it may open
 * @param secrets the secrets that are added to its requests
 */
public record EgressSubject(SandboxId sandbox, EgressPolicy policy, long connectionsMax, HeldSecrets secrets) {}
