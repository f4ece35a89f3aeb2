package dev.vivarium.node;

/**
 * The cluster has given a node up, or the node could not see a majority of it. It has destroyed its sandboxes and ended;
 * started again, it joins again.
 */
public final class NodeCutOffException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public NodeCutOffException(String message) {
        super(message);
    }
}
