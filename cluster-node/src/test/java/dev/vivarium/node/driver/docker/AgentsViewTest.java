package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.NodeFrame;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The walls of a sandbox as an agent meets them when it feels along all of them. */
class AgentsViewTest {
    /** Hidden by a device that takes everything and gives nothing, so it can be written. */
    private static final List<String> MASKED_FILES = List.of(
            "/proc/buddyinfo",
            "/proc/config.gz",
            "/proc/interrupts",
            "/proc/kallsyms",
            "/proc/kcore",
            "/proc/key-users",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/modules",
            "/proc/pagetypeinfo",
            "/proc/sched_debug",
            "/proc/schedstat",
            "/proc/softirqs",
            "/proc/sysrq-trigger",
            "/proc/timer_list",
            "/proc/timer_stats");

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private TestSandboxes.Live sandbox;

    @BeforeEach
    void start() {
        sandbox = sandboxes.create(InspectedSandbox.TEMPLATE);
    }

    @AfterEach
    void destroy() {
        sandboxes.destroy(sandbox);
    }

    @Test
    void noKernelFileCanBeWrittenBesideItsOwnProcesses() {
        String writable = sandbox.python(
                1,
                """
                import os
                for root in '/proc', '/sys':
                    for top, folders, files in os.walk(root):
                        if top == '/proc':
                            folders[:] = [name for name in folders if not name.isdigit()]
                        for path in [top] + [os.path.join(top, name) for name in files]:
                            if not os.path.islink(path) and os.access(path, os.W_OK):
                                print(path)
                """);

        assertThat(writable.lines())
                .containsExactlyInAnyOrderElementsOf(MASKED_FILES.stream()
                        .filter(path -> Files.exists(Path.of(path)))
                        .toList());
    }

    @Test
    void whatIsMaskedIsEmpty() {
        String filled = sandbox.python(
                1,
                """
                import os
                for path in [%s]:
                    if os.path.exists(path) and open(path, 'rb').read(1):
                        print(path)
                for path in '/proc/acpi', '/proc/pressure', '/proc/scsi', '/sys/firmware', '/sys/kernel', '/sys/module':
                    if os.path.exists(path) and os.listdir(path):
                        print(path)
                """
                        .formatted(String.join(
                                ", ",
                                MASKED_FILES.stream().map("'%s'"::formatted).toList())));

        assertThat(filled).isEmpty();
    }

    /** A new namespace has the kernel's own defaults, whatever the host's are. */
    @Test
    void itsNamespacesAreAsTheKernelMakesThem() {
        String settings = sandbox.python(
                1,
                """
                import glob
                names = ['kernel/msg*', 'kernel/sem', 'kernel/shm*', 'fs/mqueue/*', 'kernel/*name']
                for name in names:
                    for path in sorted(glob.glob('/proc/sys/' + name)):
                        print(path[len('/proc/sys/'):], *open(path).read().split())
                """);

        assertThat(settings.lines())
                .containsExactly(
                        "kernel/msg_next_id -1",
                        "kernel/msgmax 8192",
                        "kernel/msgmnb 16384",
                        "kernel/msgmni 32000",
                        "kernel/sem 32000 1024000000 500 32000",
                        "kernel/shm_next_id -1",
                        "kernel/shm_rmid_forced 0",
                        "kernel/shmall 18446744073692774399",
                        "kernel/shmmax 18446744073692774399",
                        "kernel/shmmni 4096",
                        "fs/mqueue/msg_default 10",
                        "fs/mqueue/msg_max 10",
                        "fs/mqueue/msgsize_default 8192",
                        "fs/mqueue/msgsize_max 8192",
                        "fs/mqueue/queues_max 256",
                        "kernel/domainname (none)",
                        "kernel/hostname sandbox");
    }

    /** The kernel counts these by user, and a container's users are the host's. */
    @Test
    void whatTheKernelGivesEachUserIsNotTakenByANeighbour() {
        String take =
                """
                import ctypes, sys
                libc = ctypes.CDLL(None, use_errno=True)
                instances = 0
                while libc.inotify_init1(0) >= 0:
                    instances += 1
                queues = 0
                sizes = (ctypes.c_long * 8)(0, 10, 8192)
                while libc.syscall(240, b'queue%d' % queues, 0o102, 0o600, sizes) >= 0:
                    queues += 1
                print(instances, queues, flush=True)
                """;
        TestSandboxes.Live greedy = sandboxes.create(InspectedSandbox.TEMPLATE);
        greedy.start(1, "python3", "-c", take + "sys.stdin.read()");
        String taken = Awaitility.await("a neighbour that has all it can get")
                .until(() -> greedy.heard().output(1, NodeFrame.Stream.STDOUT).strip(), answer -> !answer.isEmpty());

        String left = sandbox.python(1, take);
        sandboxes.destroy(greedy);

        assertThat(Stream.of(taken.split(" ")).map(Integer::valueOf)).allMatch(number -> number > 0);
        assertThat(left).isEqualTo(taken);
    }
}
