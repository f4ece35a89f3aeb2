package dev.vivarium.node.placement;

import dev.vivarium.protocol.auth.Principal;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Whether this node takes runs or is leaving. Set once, never back. */
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

    /** The node leaves, because it must. */
    public void begin() {
        phase.set(Phase.DRAINING);
    }

    /** The node leaves, because it was asked to; the first one who asks is who did it. */
    public void begin(Principal principal) {
        by.compareAndSet(null, principal);
        begin();
    }

    /** Who asked the node to leave. */
    public Optional<Principal> by() {
        return Optional.ofNullable(by.get());
    }
}
