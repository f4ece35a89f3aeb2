package dev.vivarium.protocol.run;

/** What interrupted an attempt that was not the agent's own doing. */
public enum Interruption {
    /** The node that held the sandbox died or was cut off. */
    NODE_LOST,
    /** The container engine, or the channel to the guest, was lost. */
    ENGINE_LOST,
    /** The node was drained and the drain limit passed. */
    DRAINED
}
