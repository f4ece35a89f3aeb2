package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vivarium.node.driver.Haste;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.driver.linux.GroupProcesses;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Effects of a shared kernel: how fast a sandbox with a small CPU share ends, and memory that no control group counts. */
@SandboxKind.EachContainer
class KernelSharesTest {
    private static final SandboxTemplate TEMPLATE = new SandboxTemplate(
            TestSandboxes.IMAGE,
            Isolation.CONTAINER,
            Limits.SMALLEST
                    .with(Limit.CPU, "1")
                    .with(Limit.MEMORY, "128Mi")
                    .with(Limit.SHARED_MEMORY, "64Mi")
                    .with(Limit.PIDS, 128L)
                    .with(Limit.DISK, "16Mi")
                    .with(Limit.FILES, 2_047L)
                    .with(Limit.OPEN_FILES, 4_096L),
            Optional.empty());

    @RegisterExtension
    final TestSandboxes sandboxes;

    KernelSharesTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    /** At a hundredth of a CPU they took 3.7 s to end; the bound leaves room for other load on the machine. */
    @Test
    void aHundredBusyProcessesEndQuicklyHoweverSmallTheirShare() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root may lift the bound of a group.");
        Live sandbox = sandboxes.create(TEMPLATE);
        sandbox.start(
                1,
                "python3",
                "-c",
                """
                import os
                for _ in range(100):
                    if os.fork() == 0:
                        while True: pass
                print('all here', flush=True)
                while True: pass
                """);
        sandbox.heard().await(GuestFrame.Output.class);
        GroupProcesses group = GroupProcesses.of(Path.of("/proc"), sandboxes.pid(sandbox), sandboxes.group(sandbox))
                .orElseThrow();
        String quota = Files.readString(group.quota()).strip();
        Files.writeString(group.quota(), quota.contains(" ") ? "1000 100000" : "1000");

        long begun = System.nanoTime();
        TestSandboxes.outcome(sandboxes.driver().hastenEnd(sandbox.id(), Haste.UNTHROTTLE));
        sandbox.channel().send(new NodeFrame.KillAll(0));
        TestSandboxes.outcome(sandboxes.driver().hastenEnd(sandbox.id(), Haste.KILL));
        sandbox.heard().await(GuestFrame.AllGone.class);
        Duration took = Duration.ofNanos(System.nanoTime() - begun);

        assertThat(took).isLessThan(Duration.ofMillis(1500));
        sandboxes.destroy(sandbox);
    }

    @Test
    void queuesOfNetlinkSocketsCountAsMemory() {
        Live sandbox = sandboxes.create(TEMPLATE);
        long before =
                TestSandboxes.outcome(sandboxes.driver().sample(sandbox.id())).anonymousBytes();
        sandbox.start(
                1,
                "python3",
                "-c",
                """
                import signal, socket, struct
                request = struct.pack('=IHHII', 32, 18, 5, 1, 0) + struct.pack('=BBHiII', 0, 0, 0, 1, 0, 0)
                kept = []
                for _ in range(256):
                    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
                    one.bind((0, 0))
                    one.setblocking(False)
                    kept.append(one)
                    for _ in range(300):
                        try:
                            one.send(request)
                        except OSError:
                            break
                print('all here', flush=True)
                signal.pause()
                """);
        sandbox.heard().await(GuestFrame.Output.class);

        long now =
                TestSandboxes.outcome(sandboxes.driver().sample(sandbox.id())).anonymousBytes();

        assertThat(now - before).isGreaterThan(32L << 20);
        sandboxes.destroy(sandbox);
    }
}
