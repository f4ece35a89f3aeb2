package dev.vivarium.node.driver;

/** How a driver hastens the end of a sandbox's processes. */
public enum Haste {
    /** Lifts the CPU quota, so that neither the processes nor the guest that ends them wait for a small share. */
    UNTHROTTLE,
    /** Also kills the processes. */
    KILL
}
