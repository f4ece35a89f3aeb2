package dev.vivarium.node.driver;

/**
 * Names one sandbox on this node: a ULID in lower case, chosen by the node before the sandbox exists.
 *
 * @param value the 26 characters
 */
public record SandboxId(String value) {
    @Override
    public String toString() {
        return value;
    }
}
