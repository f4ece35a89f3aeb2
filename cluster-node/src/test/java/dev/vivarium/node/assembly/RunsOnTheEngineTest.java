package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs from submission to end on a real engine and a real store: every limit, and every way to end. */
@EachIsolation
class RunsOnTheEngineTest {
    private static final Caller CALLER = new Caller(Principal.LOCAL_OPERATOR, Optional.empty(), Instant.MAX);
    private static NodeCore node;

    private final Isolation isolation;

    RunsOnTheEngineTest(Isolation isolation) {
        this.isolation = isolation;
    }

    @BeforeEach
    void theEngineHasTheClass() {
        EachIsolation.Here.assume(isolation, node.sandboxes().isolations());
    }

    @BeforeAll
    static void startNode() throws Exception {
        Path data = Files.createTempDirectory("vivarium-runs-");
        node = NodeCore.start(new NodeOptions(
                "127.0.0.1",
                0,
                data,
                data.resolve("token"),
                data.resolve("socket").resolve("api.sock"),
                Optional.empty(),
                Map.of()));
    }

    @AfterAll
    static void stopNode() {
        node.close();
    }

    @Test
    void aSucceedingAgentLeavesOnlyItsOutput() throws Exception {
        RunId run = submit(python("import sys; sys.stdout.write('hello\\n'); sys.stderr.write('oops\\n')"));

        RunState.Finished end = finished(run);

        assertThat(end.status()).isEqualTo(RunStatus.SUCCEEDED);
        assertThat(printed(run)).contains("hello\n").contains("oops\n");
        assertNothingIsLeft();
    }

    @Test
    void anAgentInheritsNothingFromTheNode() throws Exception {
        RunId run = submit(
                python(
                        """
                import os, resource
                print(*sorted(entry for entry in open('/proc/self/environ').read().split('\\0') if entry), sep='\\n')
                print(*[f'{number} {os.fstat(number).st_mode:o}' for number in range(4096) if os.path.exists(f'/proc/self/fd/{number}')], sep='\\n')
                print('files', *resource.getrlimit(resource.RLIMIT_NOFILE))
                """));

        RunState.Finished end = finished(run);

        assertThat(end.status()).isEqualTo(RunStatus.SUCCEEDED);
        assertThat(printed(run).lines())
                .containsExactly(
                        "HOME=/workspace",
                        "LANG=C.UTF-8",
                        "LOGNAME=agent",
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "PYTHONUNBUFFERED=1",
                        "SHELL=/bin/sh",
                        "TMPDIR=/tmp",
                        "USER=agent",
                        "VIVARIUM_ATTEMPT=1",
                        "VIVARIUM_RUN_ID=" + run.value(),
                        "0 10600",
                        "1 10600",
                        "2 10600",
                        "files 4096 4096");
    }

    /** As for programs that log to a named file, and test suites that serve on localhost. */
    @Test
    void anAgentReachesItsStreamsByNameAndItselfByItsNames() throws Exception {
        RunId run = submit(python(
                """
                import getpass, grp, os, pwd, socket, subprocess, threading
                def attempt(what, call):
                    try:
                        call()
                    except Exception as error:
                        print('bad', what, error)
                def write(path):
                    with open(path, 'w') as file:
                        file.write('by name\\n')
                def read(path):
                    with open(path) as file:
                        assert file.read() == ''
                def meet(family, here, name):
                    with socket.socket(family) as server:
                        server.bind((here, 0))
                        server.listen()
                        accepting = threading.Thread(target=lambda: server.accept()[0].close(), daemon=True)
                        accepting.start()
                        socket.create_connection((name, server.getsockname()[1]), timeout=5).close()
                        accepting.join(5)
                for path in '/dev/stdout', '/dev/stderr', '/proc/self/fd/1', '/dev/fd/2':
                    attempt(path, lambda: write(path))
                attempt('/dev/stdin', lambda: read('/dev/stdin'))
                attempt('sh', lambda: subprocess.run(['sh', '-c', 'echo by name > /dev/stdout'], check=True))
                attempt('account', lambda: (pwd.getpwuid(os.getuid()).pw_name, pwd.getpwnam('agent').pw_uid, grp.getgrgid(os.getgid()).gr_name) == ('agent', os.getuid(), 'agent') or 1 / 0)
                attempt('whoami', lambda: subprocess.check_output(['whoami'], text=True) == 'agent\\n' or 1 / 0)
                attempt('root', lambda: pwd.getpwuid(0).pw_name == 'root' or 1 / 0)
                attempt('user', lambda: getpass.getuser() == os.environ['USER'] or 1 / 0)
                for name in 'localhost', '127.0.0.1', '127.0.0.2', 'sandbox', socket.gethostname():
                    attempt('IPv4 by ' + name, lambda: meet(socket.AF_INET, '0.0.0.0', name))
                if %s:
                    for name in 'localhost', '::1':
                        attempt('IPv6 by ' + name, lambda: meet(socket.AF_INET6, '::', name))
                    attempt('port 80', lambda: socket.socket().bind(('127.0.0.1', 80)))
                """
                        // gVisor of 2022 has no IPv6 on loopback, and reserves low ports for root.
                        .formatted(isolation == Isolation.CONTAINER ? "True" : "False")));

        assertThat(finished(run).status()).isEqualTo(RunStatus.SUCCEEDED);
        assertThat(printed(run).lines().distinct()).containsExactly("by name");
    }

    /** Without PYTHONUNBUFFERED, Python would buffer 8 KiB before it writes to a pipe, and lose them when it is killed. */
    @Test
    void outputPrintedBeforeAKillIsKept() throws Exception {
        Limits limits = limits("2s", "30s", "30s", 64, 32, 16, 1 << 20);
        RunId run = submit(spec(
                List.of("python3", "-c", "import time\nfor step in range(999): print('step', step); time.sleep(0.1)"),
                limits));

        assertThat(finished(run).status()).isEqualTo(RunStatus.KILLED);
        assertThat(printed(run)).contains("step 0\n", "step 5\n");
    }

    @Test
    void anExitCodeIsTheAgentsOwn() throws Exception {
        RunState.Finished end = finished(submit(python("import sys; sys.exit(7)")));

        assertThat(end.status()).isEqualTo(RunStatus.FAILED);
        assertThat(end.end()).hasFieldOrPropertyWithValue("exitCode", 7);
    }

    @Test
    void anExitCodeOf137IsNoMemoryKill() throws Exception {
        RunState.Finished end = finished(submit(python("import sys; sys.exit(137)")));

        assertThat(end.status()).isEqualTo(RunStatus.FAILED);
    }

    @Test
    void anEndlessLoopIsKilledAtItsDeadline() throws Exception {
        RunState.Finished end = finished(submit(
                spec(List.of("python3", "-c", "while True: pass"), limits("1s", "60s", "60s", 64, 32, 32, 1 << 20))));

        assertThat(end.reason()).contains(KillReason.WALL_CLOCK);
        assertThat(end.end().usage().get(Limit.WALL_CLOCK)).isBetween(1_000L, 2_500L);
    }

    @Test
    void usedUpProcessorTimeIsAKill() throws Exception {
        RunState.Finished end = finished(submit(spec(
                List.of("python3", "-c", "while True: pass"), limits("30s", "60s", "500ms", 64, 32, 32, 1 << 20))));

        assertThat(end.reason()).contains(KillReason.CPU_TIME);
    }

    @Test
    void anAgentGetsExactlyItsShareOfTheProcessors() throws Exception {
        RunSpec burner = python(
                """
                import multiprocessing, time
                def burn():
                    until = time.monotonic() + 2
                    while time.monotonic() < until: pass
                burners = [multiprocessing.Process(target=burn) for _ in range(4)]
                for burner in burners: burner.start()
                for burner in burners: burner.join()
                """);

        RunState.Finished end = finished(submit(withCpu(burner, "200m")));

        assertThat(end.status()).isEqualTo(RunStatus.SUCCEEDED);
        // CPU time includes the creation of the sandbox, unlike the wall time, and the quota is enforced per period;
        // without a quota it would be as much as the wall time, or a multiple of that.
        assertThat(end.end().usage().get(Limit.CPU_TIME))
                .isLessThanOrEqualTo(end.end().usage().get(Limit.WALL_CLOCK) / 4 + 100);
    }

    @Test
    void anAgentThatDoesNothingIsIdle() throws Exception {
        RunState.Finished end = finished(submit(spec(
                List.of("python3", "-c", "import time; time.sleep(60)"),
                limits("30s", "1s", "30s", 64, 32, 32, 1 << 20))));

        assertThat(end.reason()).contains(KillReason.IDLE);
    }

    @Test
    void aMemoryBombIsKilledForMemory() throws Exception {
        RunState.Finished end = finished(submit(python("x = []\nwhile True: x.append(bytearray(1 << 20))")));

        assertThat(end.reason()).contains(KillReason.MEMORY);
    }

    @Test
    void aForkBombIsKilledForPids() throws Exception {
        RunState.Finished end = finished(submit(spec(
                List.of("python3", "-c", "import os\nwhile True: os.fork()"),
                limits("30s", "30s", "30s", 512, 32, 16, 1 << 20))));

        assertThat(end.reason()).contains(KillReason.PIDS);
        assertNothingIsLeft();
    }

    @Test
    void aDiskFillerIsKilledForDisk() throws Exception {
        RunState.Finished end = finished(
                submit(python("f = open('/workspace/big', 'wb')\nwhile True: f.write(b'x' * 65536); f.flush()")));

        assertThat(end.reason()).contains(KillReason.DISK);
    }

    @Test
    void aFloodOfOutputIsCutOffAndKilled() throws Exception {
        RunId run = submit(python("while True: print('x' * 1000)"));

        assertThat(finished(run).reason()).contains(KillReason.OUTPUT);
        assertThat(node.store().output().end(run).toCompletableFuture().get(5, TimeUnit.SECONDS))
                .isEqualTo(1 << 20);
    }

    @Test
    void daemonsThatIgnoreSignalsAreGoneWithTheirRun() throws Exception {
        RunState.Finished end = finished(
                submit(
                        python(
                                """
                import os, signal, time
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        time.sleep(600)
                    os._exit(0)
                raise SystemExit(3)
                """)));

        assertThat(end.status()).isEqualTo(RunStatus.FAILED);
        assertNothingIsLeft();
    }

    @Test
    void aMissingCommandIsReportedInASentence() throws Exception {
        RunState.Finished end = finished(submit(spec(List.of("no-such-command"), limits())));

        assertThat(end.status()).isEqualTo(RunStatus.FAILED);
        assertThat(end.end()).extracting("failure.kind").isEqualTo(StartFailure.Kind.COMMAND_NOT_FOUND);
    }

    @Test
    void aCommandThatIsNotExecutableIsReportedInASentence() throws Exception {
        RunState.Finished end = finished(submit(spec(List.of("/etc/passwd"), limits())));

        assertThat(end.end()).extracting("failure.kind").isEqualTo(StartFailure.Kind.COMMAND_NOT_EXECUTABLE);
    }

    @Test
    void aMissingImageIsReportedInASentence() throws Exception {
        RunSpec spec = spec(List.of("true"), limits());
        RunSpec missing = new RunSpec(
                "vivarium/no-such-image",
                spec.command(),
                spec.env(),
                spec.secrets(),
                spec.namedSecrets(),
                spec.workdir(),
                spec.files(),
                spec.artifacts(),
                spec.limits(),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                Tenant.DEFAULT,
                Optional.empty());

        RunState.Finished end = finished(submit(missing));

        assertThat(end.end()).extracting("failure.kind").isEqualTo(StartFailure.Kind.IMAGE_UNAVAILABLE);
    }

    @Test
    void outputOfArbitraryBytesIsKeptUnchanged() throws Exception {
        RunId run = submit(python("import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)"));

        assertThat(finished(run).status()).isEqualTo(RunStatus.SUCCEEDED);
        byte[] expected = new byte[25_600];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (byte) i;
        }
        assertThat(bytes(run)).isEqualTo(expected);
    }

    @Test
    void aCancelledRunEndsAndIsCancelled() throws Exception {
        RunId run = submit(python("import time; print('up', flush=True); time.sleep(60)"));
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> printed(run)
                .contains("up"));

        node.runs().cancel(run, CALLER).toCompletableFuture().get(5, TimeUnit.SECONDS);

        assertThat(finished(run).status()).isEqualTo(RunStatus.CANCELLED);
    }

    @Test
    void aRenewedAgentOutlivesItsDeadlineAndEndsOnTheDotAtTheNewOne() throws Exception {
        RunId run = submit(spec(
                List.of("python3", "-c", "import time; print('up', flush=True); time.sleep(60)"),
                limits().with(Limit.WALL_CLOCK, "5s")));
        awaitPrinted(run, "up");

        RenewAnswer answer = node.runs()
                .renew(run, CALLER, new Renewal(TimeSpan.ofSeconds(8), TimeSpan.ofSeconds(3600)))
                .toCompletableFuture()
                .get(5, TimeUnit.SECONDS);

        assertThat(answer).isInstanceOf(RenewAnswer.Renewed.class);
        RunState.Finished end = finished(run);
        assertThat(end.reason()).contains(KillReason.WALL_CLOCK);
        assertThat(end.end().usage().get(Limit.WALL_CLOCK)).isBetween(8_000L, 8_600L);
        assertNothingIsLeft();
    }

    /** The agent's child does not know the signal, and would be ended by it. */
    @Test
    void aWarnedAgentSavesItsWorkBeforeItsDeadlineAndAgainBeforeARenewedOne() throws Exception {
        RunId run = submit(warned(
                List.of(
                        "python3",
                        "-c",
                        """
                        import signal, subprocess, time
                        child = subprocess.Popen(['sleep', '60'])
                        count = 0
                        def save(number, frame):
                            global count
                            count += 1
                            with open('/workspace/saved', 'w') as file: file.write('work ' + str(count))
                            print(open('/workspace/saved').read(), number, child.poll(), flush=True)
                        signal.signal(signal.SIGUSR2, save)
                        print('up', flush=True)
                        while True: time.sleep(60)
                        """),
                "8s",
                new Warning(TimeSpan.ofSeconds(5), WarningSignal.SIGUSR2)));
        awaitPrinted(run, "work 1 12 None\n");
        node.runs()
                .renew(run, CALLER, new Renewal(TimeSpan.ofSeconds(12), TimeSpan.ofSeconds(3600)))
                .toCompletableFuture()
                .get(5, TimeUnit.SECONDS);

        RunState.Finished end = finished(run);

        assertThat(end.reason()).contains(KillReason.WALL_CLOCK);
        assertThat(printed(run)).isEqualTo("up\nwork 1 12 None\nwork 2 12 None\n");
        assertThat(events(run, RunEvent.WarningSent.class))
                .extracting(RunEvent.WarningSent::wallClock)
                .containsExactly(TimeSpan.ofSeconds(8), TimeSpan.ofSeconds(12));
        assertThat(events(run, RunEvent.DeadlineMoved.class)).hasSize(1);
        assertNothingIsLeft();
    }

    @Test
    void aWarnedShellSavesItsWorkAndEndsByItself() throws Exception {
        RunId run = submit(warned(
                List.of(
                        "sh",
                        "-c",
                        "trap 'echo done > saved; cat saved; exit 0' USR1; echo up; while :; do sleep 0.05; done"),
                "20s",
                new Warning(TimeSpan.ofSeconds(17), WarningSignal.SIGUSR1)));

        RunState.Finished end = finished(run);

        assertThat(end.status()).isEqualTo(RunStatus.SUCCEEDED);
        assertThat(printed(run)).isEqualTo("up\ndone\n");
        assertThat(end.end().usage().get(Limit.WALL_CLOCK)).isBetween(3_000L, 5_000L);
    }

    private RunSpec warned(List<String> command, String wallClock, Warning warning) {
        return spec(command, limits().with(Limit.WALL_CLOCK, wallClock), Optional.of(warning));
    }

    private static void awaitPrinted(RunId run, String text) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> printed(run)
                .contains(text));
    }

    private static <T extends RunEvent> List<T> events(RunId run, Class<T> kind) {
        return node.store().journal().events(run, 1).toCompletableFuture().join().stream()
                .map(RecordedEvent::event)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    private RunSpec python(String program) {
        return spec(List.of("python3", "-c", program), limits());
    }

    private RunSpec withCpu(RunSpec spec, String cpu) {
        return spec(spec.command(), spec.limits().with(Limit.CPU, cpu));
    }

    private static Limits limits() {
        return limits("30s", "30s", "30s", 64, 32, 16, 1 << 20);
    }

    private static Limits limits(
            String wallClock, String idle, String cpuTime, int memoryMib, long pids, int diskMib, long outputBytes) {
        return Limits.SMALLEST
                .with(Limit.WALL_CLOCK, wallClock)
                .with(Limit.IDLE, idle)
                .with(Limit.CPU, "1")
                .with(Limit.CPU_TIME, cpuTime)
                .with(Limit.MEMORY, ByteSize.ofMebibytes(memoryMib))
                .with(Limit.PIDS, pids)
                .with(Limit.DISK, ByteSize.ofMebibytes(diskMib))
                .with(Limit.FILES, 1_000L)
                .with(Limit.OUTPUT, new ByteSize(outputBytes))
                .with(Limit.OPEN_FILES, 4096L)
                .with(Limit.GRACE, "25ms")
                .with(Limit.SHARED_MEMORY, "8Mi")
                .with(Limit.EGRESS_REQUESTS, 100L)
                .with(Limit.EGRESS_BYTES, "10Mi");
    }

    private RunSpec spec(List<String> command, Limits limits) {
        return spec(command, limits, Optional.empty());
    }

    private RunSpec spec(List<String> command, Limits limits, Optional<Warning> warning) {
        return new RunSpec(
                "vivarium/python",
                command,
                Map.of(),
                SealedSecrets.NONE,
                Map.of(),
                "/workspace",
                Map.of(),
                List.of(),
                limits,
                warning,
                new EgressPolicy(EgressPolicy.Mode.NONE),
                isolation,
                NodeLossPolicy.RESTART,
                3,
                Map.of(),
                Tenant.DEFAULT,
                Optional.empty());
    }

    private RunId submit(RunSpec spec) throws Exception {
        RunId id = new RunId(UlidCreator.getUlid().toString().toLowerCase(Locale.ROOT));
        node.runs()
                .submit(
                        new Placed.Room(
                                id,
                                Placed.Name.OWN,
                                Capacity.askedBy(spec.limits(), spec.isolation(), Long.MAX_VALUE),
                                WhenFull.QUEUE),
                        CALLER,
                        spec,
                        Digest.of(Blob.ofUtf8("test")))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        return id;
    }

    private static RunState.Finished finished(RunId run) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> state(run) instanceof RunState.Finished);
        return (RunState.Finished) state(run);
    }

    private static RunState state(RunId run) {
        return node.store().journal().state(run).toCompletableFuture().join();
    }

    private static String printed(RunId run) {
        return new String(bytes(run), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(RunId run) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (OutputChunk chunk : node.store()
                .output()
                .read(run, 0, 1 << 21)
                .toCompletableFuture()
                .join()) {
            all.writeBytes(chunk.data().toByteArray());
        }
        return all.toByteArray();
    }

    private static void assertNothingIsLeft() {
        // Those that wait for the next run are nobody's leftovers.
        assertThat(node.sandboxes().list().toCompletableFuture().join())
                .allMatch(listed -> node.sandboxes().pool().owns(listed.id()));
    }
}
