package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.run.RunSpec;

/**
 * What every Sandbox actor of a node works with.
 *
 * @param sandboxes creates and destroys sandboxes
 * @param store stores output and opens secrets
 * @param live the sandboxes that this node owns
 * @param removals the order in which sandboxes are removed
 * @param settings graces, intervals and windows
 * @param lease how long the node may rely on owning its runs
 * @param clock the time
 */
public record SandboxEnvironment(
        NodeSandboxes sandboxes,
        Store store,
        LiveSandboxes live,
        RemovalQueue removals,
        SandboxSettings settings,
        NodeLease lease,
        NodeClock clock) {
    /** For a node with this configuration. */
    public static SandboxEnvironment of(
            NodeSandboxes sandboxes, Store store, LiveSandboxes live, NodeLease lease, Config config, NodeClock clock) {
        return new SandboxEnvironment(
                sandboxes, store, live, new RemovalQueue(clock), SandboxSettings.from(config), lease, clock);
    }

    /** The sandbox's template for a spec. */
    SandboxTemplate template(RunSpec spec) {
        return new SandboxTemplate(spec.image(), spec.isolation(), spec.limits(), sandboxes.resolver(spec.egress()));
    }
}
