package dev.vivarium.node.acts;

import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;

/**
 * Who asks for an administrative act.
 *
 * @param principal the principal that does
 * @param origin where its request came from
 */
public record Requester(Principal principal, Origin origin) {}
