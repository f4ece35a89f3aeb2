package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Limit;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What differs when a sandbox has its own kernel: where processes are counted, what is measured, how out-of-memory shows. */
@SandboxKind.EachGvisor
class GvisorSandboxTest {
    /** Programs start slowly under a kernel that traces each system call. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @RegisterExtension
    final TestSandboxes sandboxes;

    private Live sandbox;

    GvisorSandboxTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @BeforeEach
    void makeSandbox() {
        sandbox = sandboxes.create();
    }

    @AfterEach
    void destroySandbox() {
        sandboxes.destroy(sandbox);
    }

    @Test
    void theAgentHasItsOwnKernelBehindTheSystemCallFilter() {
        String said = sandbox.python(
                1,
                """
                import ctypes, os
                libc = ctypes.CDLL(None, use_errno=True)
                print(os.uname().version)
                print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())
                print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Seccomp:')])
                """);

        assertThat(said).isEqualTo("#1 SMP Sun Jan 10 15:06:54 PST 2016\n-1 1\n['2']");
    }

    @Test
    void theWayUpFromTheWorkspaceEndsAtTheRoot() {
        assertThat(sandbox.python(
                        1,
                        "import os; os.chdir('/workspace'); print(os.path.samefile('..', '/'), os.listdir('../tmp'))"))
                .isEqualTo("True []");
    }

    @Test
    void theSizesOfTheMachineAreItsLimits() {
        assertThat(sandbox.python(1, "import os; print(os.cpu_count(), *open('/proc/meminfo').readline().split())"))
                .isEqualTo("1 MemTotal: " + (64 << 10) + " kB");
    }

    @Test
    void overheadOfTheKernelIsNotChargedToTheAgent() {
        SandboxSample sample = outcome(sandboxes.driver().sample(sandbox.id()));

        assertThat(sample.pids()).isEqualTo(1);
        assertThat(sample.anonymousBytes()).isZero();
        assertThat(sample.sharedBytes()).isLessThan(4 << 20);
        assertThat(sample.cpuMillis()).isLessThan(500);
    }

    @Test
    void theAgentsMemoryIsMeasured() {
        sandbox.start(1, "python3", "-c", "import time; heap = bytearray(b'x') * (20 << 20); time.sleep(1000)");

        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            SandboxSample sample = outcome(sandboxes.driver().sample(sandbox.id()));
            assertThat(sample.anonymousBytes() + sample.sharedBytes()).isBetween(20L << 20, 48L << 20);
        });
    }

    @Test
    void theGuestReportsTheNumberOfProcessesAndThreads() {
        sandbox.start(
                1,
                "python3",
                "-c",
                """
                import os, threading, time
                threading.Thread(target=time.sleep, args=(1000,)).start()
                for _ in range(3):
                    if os.fork() == 0:
                        time.sleep(1000)
                time.sleep(1000)
                """);

        Awaitility.await().atMost(PATIENCE).until(() -> sandbox.heard().frames().contains(processes(5)));
        sandbox.channel().send(new NodeFrame.KillAll(0));
        Awaitility.await().atMost(PATIENCE).until(() -> sandbox.heard().frames().contains(processes(0)));
    }

    private static GuestFrame processes(long count) {
        return new GuestFrame.Use(Limit.PIDS, count, GuestFrame.Pressure.NONE);
    }

    @Test
    void theAgentsUserCannotHaveMoreProcessesThanItsLimit() {
        sandbox.channel()
                .send(new NodeFrame.Spawn(
                        1,
                        List.of("python3", "-c", TestSandboxes.FORKS_UNTIL_REFUSED),
                        Map.of("PATH", "/usr/bin:/bin"),
                        "/workspace",
                        sandbox.id().agentUid(),
                        sandbox.id().agentUid(),
                        Map.of(NodeFrame.Resource.NPROC, 5L),
                        Optional.empty(),
                        1 << 20));

        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        sandbox.heard().output(1, NodeFrame.Stream.STDOUT))
                .matches("[45] 11\n"));
    }

    /** The host kills the whole kernel; that must not be reported as a failure of the engine. */
    @Test
    void aSandboxKilledForMemoryIsReportedAsOutOfMemory() {
        sandbox.start(1, "python3", "-c", "bytearray(b'x') * (500 << 20)");

        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.OUT_OF_MEMORY);
    }
}
