package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressPolicy;

/**
 * A sandbox that asks for something outside.
 *
 * @param sandbox which one
 * @param policy what it may reach
 * @param connectionsMax connections that it may open in all
 * @param secrets those that are added to its requests
 */
public record EgressSubject(SandboxId sandbox, EgressPolicy policy, long connectionsMax, HeldSecrets secrets) {}
