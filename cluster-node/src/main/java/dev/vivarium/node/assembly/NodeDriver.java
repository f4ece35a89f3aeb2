package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.docker.DockerDriver;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.idle.IdleDriver;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.node.driver.oci.OciSupport;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates a node's sandbox driver as configured by {@code vivarium.driver}, and says in one line of the log which it is and
 * why.
 */
final class NodeDriver {
    private static final Logger LOG = LoggerFactory.getLogger(NodeDriver.class);

    private NodeDriver() {}

    /**
     * Opens the driver.
     *
     * @param blocking executor of its blocking work
     */
    static SandboxDriver open(Config driver, String installation, String node, Executor blocking, NodeClock clock)
            throws NodeStartException {
        DockerDriverConfig engine = DockerDriverConfig.from(driver.getConfig("docker"), installation, node);
        OciDriverConfig oci = OciDriverConfig.from(driver.getConfig("oci"), engine);
        String kind = driver.getString("kind");
        return switch (kind) {
            case "auto" -> automatic(OciSupport.open(oci, blocking, clock), engine, blocking, clock);
            case "oci" -> required(OciSupport.open(oci, blocking, clock));
            case "docker" -> {
                LOG.info("Driver docker: vivarium.driver.kind says so.");
                yield DockerDriver.open(engine, blocking, clock);
            }
            case "idle" -> IdleDriver.open();
            default -> throw new NodeStartException(
                    "vivarium.driver.kind is \"" + kind + "\" and must be one of auto, oci, docker, idle.");
        };
    }

    private static SandboxDriver automatic(
            OciSupport oci, DockerDriverConfig engine, Executor blocking, NodeClock clock) {
        if (oci instanceof OciSupport.Works works) {
            LOG.info("Driver oci: this machine has {}.", works.how());
            return works.driver();
        }
        LOG.info("Driver docker: oci cannot be used, since {}.", ((OciSupport.Not) oci).why());
        return DockerDriver.open(engine, blocking, clock);
    }

    private static SandboxDriver required(OciSupport oci) throws NodeStartException {
        if (oci instanceof OciSupport.Works works) {
            LOG.info("Driver oci: vivarium.driver.kind says so, and this machine has {}.", works.how());
            return works.driver();
        }
        throw new NodeStartException("vivarium.driver.kind is oci, which cannot be used here: "
                + ((OciSupport.Not) oci).why() + ". Mend that, or set vivarium.driver.kind to docker.");
    }
}
