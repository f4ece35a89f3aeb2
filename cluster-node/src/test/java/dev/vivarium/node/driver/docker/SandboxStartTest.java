package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.driver.linux.GroupProcesses;
import dev.vivarium.protocol.run.Limit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A sandbox starts with more of a processor than its run may have, where the node itself owns the control group. */
@ParameterizedClass(name = "{0}")
@EnumSource(
        value = SandboxKind.class,
        names = {"CONTAINER_OF_A_RUNTIME", "GVISOR_OF_A_RUNTIME"})
class SandboxStartTest {
    @RegisterExtension
    final TestSandboxes sandboxes;

    SandboxStartTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    /** With its share from the beginning, class gvisor took 29 s on an idle machine. */
    @Test
    void aHundredthOfAProcessorIsEnoughAndIsAllThatTheAgentGets() throws IOException {
        SandboxTemplate plain = sandboxes.template();
        long begun = System.nanoTime();

        Live sandbox = sandboxes.create(new SandboxTemplate(
                plain.image(), plain.isolation(), plain.limits().with(Limit.CPU, "10m"), Optional.empty()));

        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(15));
        GroupProcesses group = GroupProcesses.of(Path.of("/proc"), sandboxes.pid(sandbox), sandboxes.group(sandbox))
                .orElseThrow();
        assertThat(Files.readString(group.quota())).startsWith("1000");
        sandboxes.destroy(sandbox);
    }
}
