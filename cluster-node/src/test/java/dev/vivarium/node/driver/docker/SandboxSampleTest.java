package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SandboxSampleTest {
    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    @Test
    void aWaitingSandboxUsesHardlyAnything() {
        Live sandbox = sandboxes.create();

        SandboxSample sample = sample(sandbox);

        assertThat(sample.pids()).isEqualTo(1);
        assertThat(sample.anonymousBytes()).isLessThan(4 << 20);
        assertThat(sample.outOfMemoryKills()).isZero();
        assertThat(sample.forksRefused()).isZero();
        sandboxes.destroy(sandbox);
        assertThat(failure(sandboxes.driver().sample(sandbox.id())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
    }

    @Test
    void heapFilesAndProcessorTimeAreMeasuredSeparately() {
        Live sandbox = sandboxes.create();

        sandbox.start(
                1,
                "python3",
                "-c",
                """
                import time
                heap = bytearray(b'x') * (20 << 20)
                open('/workspace/file', 'wb').write(bytes(8 << 20))
                while time.process_time() < 0.5: pass
                time.sleep(1000)
                """);

        Awaitility.await().untilAsserted(() -> {
            SandboxSample sample = sample(sandbox);
            assertThat(sample.cpuMillis()).isBetween(500L, 2_000L);
            assertThat(sample.anonymousBytes()).isBetween(20L << 20, 36L << 20);
            assertThat(sample.sharedBytes()).isBetween(8L << 20, 9L << 20);
            assertThat(sample.peakBytes()).isGreaterThanOrEqualTo(28L << 20);
            assertThat(sample.pids()).isEqualTo(2);
        });
        sandboxes.destroy(sandbox);
    }

    @Test
    void aKillForMemoryIsCountedAndTheGuestSurvives() {
        Live sandbox = sandboxes.create();

        sandbox.start(1, "python3", "-c", "bytearray(b'x') * (500 << 20)");

        GuestFrame.Signaled end = sandbox.heard().await(GuestFrame.Signaled.class);
        assertThat(end.signal()).isEqualTo(9);
        assertThat(sample(sandbox).outOfMemoryKills()).isEqualTo(1);
        assertThat(sandbox.python(2, "print('still here')")).isEqualTo("still here");
        sandboxes.destroy(sandbox);
    }

    @Test
    void refusedForksAreCounted() {
        Live sandbox = sandboxes.create(limitedTo(5));

        sandbox.start(1, "python3", "-c", TestSandboxes.FORKS_UNTIL_REFUSED);

        sandbox.heard().await(GuestFrame.Exited.class);
        assertThat(sandbox.heard().output(1, NodeFrame.Stream.STDOUT)).isEqualTo("4 11\n");
        assertThat(sample(sandbox).forksRefused()).isPositive();
        sandboxes.destroy(sandbox);
    }

    @Test
    void aSandboxWithALimitOfOneProcessStarts() {
        Live sandbox = sandboxes.create(limitedTo(1));

        sandbox.start(1, "python3", "-c", "print('alone')");

        assertThat(sandbox.heard().awaitEnd(1)).isZero();
        assertThat(sandbox.heard().output(1, NodeFrame.Stream.STDOUT)).isEqualTo("alone\n");
        sandboxes.destroy(sandbox);
    }

    @Test
    void samplingAnEndedSandboxFailsWithSandboxUnknown() {
        Live sandbox = sandboxes.create();
        sample(sandbox);

        sandbox.channel().close();

        Awaitility.await().until(() -> sandboxes.containers().isEmpty());
        assertThat(failure(sandboxes.driver().sample(sandbox.id())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
        assertThat(failure(sandboxes.driver().sample(newId())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
        sandboxes.destroy(sandbox);
    }

    private SandboxSample sample(Live sandbox) {
        return outcome(sandboxes.driver().sample(sandbox.id()));
    }

    private static SandboxTemplate limitedTo(int pids) {
        return new SandboxTemplate(
                TestSandboxes.IMAGE,
                Isolation.CONTAINER,
                Limits.SMALLEST
                        .with(Limit.CPU, "1")
                        .with(Limit.MEMORY, "32Mi")
                        .with(Limit.SHARED_MEMORY, "32Mi")
                        .with(Limit.PIDS, (long) pids)
                        .with(Limit.DISK, "4Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty());
    }
}
