package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.idle.IdleDriver;
import java.util.concurrent.Executor;

/** Chooses what makes a node's sandboxes by its configuration, {@code vivarium.driver}. */
final class NodeDriver {
    private NodeDriver() {}

    /**
     * Opens the driver.
     *
     * @param blocking runs all of its blocking work
     */
    static SandboxDriver open(Config driver, String installation, String node, Executor blocking, NodeClock clock)
            throws NodeStartException {
        String kind = driver.getString("kind");
        return switch (kind) {
            case "docker" -> DockerDriver.open(
                    DockerDriverConfig.from(driver.getConfig("docker"), installation, node), blocking, clock);
            case "idle" -> IdleDriver.open();
            default -> throw new NodeStartException(
                    "vivarium.driver.kind is \"" + kind + "\" and must be one of docker, idle.");
        };
    }
}
