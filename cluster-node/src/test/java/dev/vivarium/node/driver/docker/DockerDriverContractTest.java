package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverContract;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Isolation;
import org.junit.jupiter.api.extension.RegisterExtension;

@EachIsolation
class DockerDriverContractTest extends DriverContract {
    @RegisterExtension
    final TestSandboxes sandboxes;

    DockerDriverContractTest(Isolation isolation) {
        sandboxes = new TestSandboxes(isolation);
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
