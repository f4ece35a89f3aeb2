package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.linux.VisibleKernelFiles;
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

/** A sandbox's isolation as seen from inside, by an agent that tries every boundary. */
@SandboxKind.EachContainer
class AgentsViewTest {
    /** Masked by /dev/null, and therefore writable. */
    private static final List<String> MASKED_FILES = VisibleKernelFiles.hidden(Path.of("/")).stream()
            .filter(path -> !Files.isDirectory(Path.of(path)))
            .toList();

    @RegisterExtension
    final TestSandboxes sandboxes;

    private TestSandboxes.Live sandbox;

    AgentsViewTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @BeforeEach
    void start() {
        sandbox = sandboxes.create(InspectedSandbox.TEMPLATE);
    }

    @AfterEach
    void destroy() {
        sandboxes.destroy(sandbox);
    }

    @Test
    void onlyKernelFilesOfItsOwnProcessesAreWritable() {
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
    void maskedPathsAreEmpty() {
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

    /** Programs size themselves by these; its half of a processor is one. */
    @Test
    void theSizesOfTheMachineAreItsLimits() {
        String sizes = sandbox.python(
                1,
                """
                import os
                def first(path):
                    return open(path).readline().split()
                groups = '/sys/fs/cgroup/'
                limits = [groups + name for name in ('memory.max', 'memory/memory.limit_in_bytes')]
                print(os.cpu_count(), *[first(path)[0] for path in limits if os.path.exists(path)])
                print(*first('/proc/meminfo'))
                print(*first('/proc/loadavg'))
                print(sum(line.startswith('processor') for line in open('/proc/cpuinfo')))
                print(*[line.strip() for line in open('/proc/stat') if line[:3] in ('cpu', 'ctx')])
                """);

        // Without an engine, a sandbox sees no control groups of version 1.
        boolean seesGroups = sandboxes.kind().driver() == SandboxKind.Driver.DOCKER
                || Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
        assertThat(sizes.lines())
                .containsExactly(
                        seesGroups ? "1 " + (64 << 20) : "1",
                        "MemTotal: " + (64 << 10) + " kB",
                        "0.00 0.00 0.00 1/1 1",
                        "1",
                        "cpu  0 0 0 100 0 0 0 0 0 0 cpu0 0 0 0 100 0 0 0 0 0 0 ctxt 0");
    }

    /** Calls tell the same as the files; no file can be bound over a call. */
    @Test
    void whatSystemCallsTellOfTheMachineAreItsLimits() {
        String sizes = sandbox.python(
                1,
                """
                import ctypes, os, struct, subprocess, threading
                libc = ctypes.CDLL(None, use_errno=True)
                def sysinfo():
                    words = ctypes.create_string_buffer(b'\\xff' * 120, 120)
                    return libc.sysinfo(words), struct.unpack('q3Q6QHxxxxxxQQI', words.raw[:108]), words.raw[112:]
                result, (up, *rest), behind = sysinfo()
                print(result, 0 <= up < 1e9, *rest, behind == b'\\xff' * 8)
                print(len(os.sched_getaffinity(0)), len(os.sched_getaffinity(os.getpid())))
                told = []
                thread = threading.Thread(target=lambda: told.append(len(os.sched_getaffinity(0))))
                thread.start()
                thread.join()
                print(*told, subprocess.run(['nproc'], capture_output=True).stdout.decode().strip())
                def fails(call):
                    try:
                        call()
                    except OSError as refused:
                        return refused.errno
                def asked(size, place):
                    return libc.syscall(204, 0, size, place), ctypes.get_errno()
                print(fails(lambda: os.sched_getaffinity(12345)), fails(lambda: os.sched_getaffinity(-1)))
                print(asked(7, 0), asked(0, 0), asked(128, 1), asked(128, 1 << 63))
                libc.prctl(4, 0, 0, 0, 0)
                print(fails(lambda: os.sched_getaffinity(0)))
                """);

        long memory = 64L << 20;
        assertThat(sizes.lines())
                .containsExactly(
                        "0 True 0 0 0 " + memory + " " + memory + " 0 0 0 0 1 0 0 1 True",
                        "1 1",
                        "1 1",
                        "3 3",
                        "(-1, 22) (-1, 22) (-1, 14) (-1, 14)",
                        "1");
    }

    /** A program that binds itself to a processor is told that it has. */
    @Test
    void aProgramChoosesItsProcessor() {
        String processors = sandbox.python(
                1,
                """
                import os
                last = max(int(part) for part in open('/proc/self/status').read()
                    .split('Cpus_allowed_list:')[1].split('\\n')[0].replace('-', ',').split(','))
                os.sched_setaffinity(0, {last})
                print(os.sched_getaffinity(0) == {last})
                """);

        assertThat(processors).isEqualTo("True");
    }

    /** A new namespace starts with the kernel's defaults, whatever the host's settings are. */
    @Test
    void itsNamespacesHaveTheKernelsDefaults() {
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

    /** The kernel counts these per user, and a container shares its user ids with the host. */
    @Test
    void aNeighbourCannotExhaustThePerUserLimitsOfTheKernel() {
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
        String taken = Awaitility.await("a neighbour that has exhausted its limits")
                .until(() -> greedy.heard().output(1, NodeFrame.Stream.STDOUT).strip(), answer -> !answer.isEmpty());

        String left = sandbox.python(1, take);
        sandboxes.destroy(greedy);

        assertThat(Stream.of(taken.split(" ")).map(Integer::valueOf)).allMatch(number -> number > 0);
        assertThat(left).isEqualTo(taken);
    }
}
