package dev.vivarium.node.driver;

/**
 * A sandbox on the engine, whether or not this node knows it.
 *
 * @param id its id
 * @param owner the node that created it
 */
public record ListedSandbox(SandboxId id, Owner owner) {
    /** The node that a sandbox belongs to. */
    public sealed interface Owner {}

    /** This node, in this incarnation or an earlier one. */
    public record ThisNode() implements Owner {}

    /** Another node of the same installation, by name. */
    public record OtherNode(String name) implements Owner {}
}
