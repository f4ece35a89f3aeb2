package dev.vivarium.node.driver;

/**
 * A sandbox that the engine has, whether this node still knows of it or not.
 *
 * @param id names it
 * @param owner the node that made it
 */
public record ListedSandbox(SandboxId id, Owner owner) {
    /** Whose a sandbox is. */
    public sealed interface Owner {}

    /** This node's, of this life or an earlier one. */
    public record ThisNode() implements Owner {}

    /** Another node's of the same installation, by its name. */
    public record OtherNode(String name) implements Owner {}
}
