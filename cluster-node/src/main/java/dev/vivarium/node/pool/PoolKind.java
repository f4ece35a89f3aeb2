package dev.vivarium.node.pool;

import dev.vivarium.node.driver.SandboxTemplate;

/**
 * What distinguishes sandboxes that wait: those of one kind are interchangeable.
 *
 * @param template the template with which they wait
 * @param link whether they have a link to the node already, for a run with the network that most runs have
 */
public record PoolKind(SandboxTemplate template, Link link) {
    /** Whether there is a link. */
    public enum Link {
        READY,
        NONE
    }
}
