package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.DriverContract;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.protocol.run.Isolation;
import org.junit.jupiter.api.extension.RegisterExtension;

@EachIsolation
class OciDriverContractTest extends DriverContract {
    @RegisterExtension
    final OciSandboxes sandboxes;

    OciDriverContractTest(Isolation isolation) {
        sandboxes = new OciSandboxes(isolation);
    }

    @Override
    protected SandboxDriver driver() {
        return sandboxes.driver();
    }

    @Override
    protected SandboxTemplate template() {
        return sandboxes.template();
    }
}
