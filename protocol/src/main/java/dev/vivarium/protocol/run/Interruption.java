package dev.vivarium.protocol.run;

/** Why an attempt was interrupted through no fault of the agent. */
public enum Interruption {
    /** The node that held the sandbox died or was cut off. */
    NODE_LOST,
    /** The container engine or the channel to the guest was lost. */
    ENGINE_LOST,
    /** The node was drained and the drain's time limit passed. */
    DRAINED
}
