package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.sandbox.NodeSandboxes;

/**
 * The threads for blocking calls to the container engine and for sandboxes' networks. There is one for each possible
 * concurrent call: with fewer, creations could occupy them all, and a kill would wait behind them.
 */
final class BlockingThreads {
    static final String DISPATCHER = "vivarium.engine-dispatcher";
    private static final String SIZE = DISPATCHER + ".thread-pool-executor.fixed-pool-size";

    private BlockingThreads() {}

    /** The configuration with the pool's size: computed if it is 0, rejected if it is too small. */
    static Config sized(Config config) throws NodeStartException {
        int needed = DockerDriver.blockingCallsMax(
                        DockerDriverConfig.from(config.getConfig("vivarium.driver.docker"), "any", "any"))
                + NodeSandboxes.blockingCallsMax(config.getConfig("vivarium.egress"));
        int size = config.getInt(SIZE);
        if (size == 0) {
            return config.withValue(SIZE, ConfigValueFactory.fromAnyRef(needed));
        }
        if (size < needed) {
            throw new NodeStartException(SIZE + " is " + size + ", and this node makes up to " + needed
                    + " concurrent blocking calls: set it to " + needed + " or more, or to 0 to have it computed.");
        }
        return config;
    }
}
