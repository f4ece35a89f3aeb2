package dev.vivarium.node.placement;

import java.util.concurrent.atomic.AtomicReference;

/** Whether this node takes runs or is leaving. Set once, never back. */
public final class Drain {
    private enum Phase {
        OPEN,
        DRAINING
    }

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.OPEN);

    public boolean isDraining() {
        return phase.get() == Phase.DRAINING;
    }

    public void begin() {
        phase.set(Phase.DRAINING);
    }
}
