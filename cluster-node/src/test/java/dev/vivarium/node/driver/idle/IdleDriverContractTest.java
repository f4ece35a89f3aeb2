package dev.vivarium.node.driver.idle;

import dev.vivarium.node.driver.DriverContract;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.Optional;

class IdleDriverContractTest extends DriverContract {
    private final SandboxDriver driver = IdleDriver.open();

    @Override
    protected SandboxDriver driver() {
        return driver;
    }

    @Override
    protected SandboxTemplate template() {
        return new SandboxTemplate(
                "any",
                Isolation.CONTAINER,
                Limits.SMALLEST
                        .with(Limit.CPU, "1")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.PIDS, 64L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty());
    }
}
