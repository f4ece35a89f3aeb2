package dev.vivarium.node.audit;

import dev.vivarium.protocol.api.AuditCheck;
import dev.vivarium.protocol.auth.Principal;
import java.util.concurrent.CompletionStage;

/** The cluster's checks of the whole log of events, as a node knows them. Thread-safe. */
public interface LogChecks {
    /** What the last one has found, as this node heard it; some seconds old at most while the cluster is whole. */
    AuditCheck known();

    /**
     * Begins a check, unless one is under way. The stage fails with {@link java.util.concurrent.TimeoutException} when
     * the node that would do it does not answer.
     *
     * @param by who asks for it
     */
    CompletionStage<AuditCheck> begin(Principal by);
}
