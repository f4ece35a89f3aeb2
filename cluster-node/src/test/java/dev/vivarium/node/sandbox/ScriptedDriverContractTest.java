package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.DriverContract;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.Isolation;
import java.util.Optional;

class ScriptedDriverContractTest extends DriverContract {
    private final SandboxDriver driver = new ScriptedDriver();

    @Override
    protected SandboxDriver driver() {
        return driver;
    }

    @Override
    protected SandboxTemplate template() {
        return new SandboxTemplate(
                "any",
                Isolation.CONTAINER,
                CpuQuota.parse("1"),
                ByteSize.ofMebibytes(64),
                64,
                ByteSize.ofMebibytes(16),
                2_047,
                Optional.empty());
    }
}
