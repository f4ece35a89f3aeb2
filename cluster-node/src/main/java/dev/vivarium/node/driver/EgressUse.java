package dev.vivarium.node.driver;

/**
 * What a sandbox has done with its network, counted by the kernel outside of it.
 *
 * @param opened connections that it opened, each try of one that is not answered counted
 * @param denied packets that were dropped because it may not reach what they were for
 */
public record EgressUse(long opened, long denied) {
    /** No use of a network. */
    public static final EgressUse NOTHING = new EgressUse(0, 0);
}
