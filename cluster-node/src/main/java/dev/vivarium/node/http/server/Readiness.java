package dev.vivarium.node.http.server;

import dev.vivarium.protocol.api.Health;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Checks what the node needs for its work. */
@FunctionalInterface
public interface Readiness {
    /** The node's parts, and whether each works now. */
    CompletionStage<List<Health.Check>> look();
}
