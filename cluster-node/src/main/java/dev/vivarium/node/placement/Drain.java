package dev.vivarium.node.placement;

import dev.vivarium.protocol.auth.Principal;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Whether this node is leaving. Set once and never reset. */
public final class Drain {
    private enum Phase {
        OPEN,
        DRAINING
    }

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.OPEN);
    private final AtomicReference<@Nullable Principal> by = new AtomicReference<>();

    /** Whether the node is leaving. */
    public boolean isDraining() {
        return phase.get() == Phase.DRAINING;
    }

    /** The node must leave. */
    public void begin() {
        phase.set(Phase.DRAINING);
    }

    /** The node was asked to leave; the first principal to ask is recorded. */
    public void begin(Principal principal) {
        by.compareAndSet(null, principal);
        begin();
    }

    /** The principal that asked the node to leave. */
    public Optional<Principal> by() {
        return Optional.ofNullable(by.get());
    }
}
