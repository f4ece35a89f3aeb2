package dev.vivarium.node.http.server;

import dev.vivarium.protocol.api.Health;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Looks at what the node needs to do its work. */
@FunctionalInterface
public interface Readiness {
    /** The parts of the node and whether each works right now. */
    CompletionStage<List<Health.Check>> look();
}
