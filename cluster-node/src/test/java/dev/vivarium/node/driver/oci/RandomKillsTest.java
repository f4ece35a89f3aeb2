package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunId;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * SIGKILL to the node, and to its launcher alone, at random moments of create, claim and destroy. The seed is printed with
 * each failure, and {@code -Dvivarium.kill.seed} takes it; {@code -Dvivarium.kills} is how many kills the long tests make.
 */
class RandomKillsTest {
    private static final int NODE_KILLS = 8;
    private static final int LAUNCHER_KILLS = 20;
    private static final int KILLS_LONG = Integer.getInteger("vivarium.kills", 1000);
    private static final long STEP_NANOS = 500_000;

    /** The steps of a sandbox's life with how long a kill waits at most, in steps: somewhat longer than each takes. */
    private enum Moment {
        CREATE(160),
        CLAIM(8),
        DESTROY(100);

        private final int stepsMax;

        Moment(int stepsMax) {
            this.stepsMax = stepsMax;
        }

        String said() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final long seed = Long.getLong("vivarium.kill.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final ExecutorService blocking = Executors.newCachedThreadPool();

    @BeforeEach
    void begin() {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
        System.out.println("vivarium.kill.seed=" + seed);
    }

    @AfterEach
    void end() {
        blocking.shutdownNow();
    }

    private Moment moment() {
        // Half of the kills are in the create, which has most steps.
        return random.nextBoolean() ? Moment.CREATE : Moment.values()[random.nextInt(Moment.values().length)];
    }

    // ---- the node

    @Test
    void aNodeKilledAtAnyMomentLeavesNothingThatItsNextStartDoesNotTakeAway() throws Exception {
        killNodes(NODE_KILLS);
    }

    @Test
    @Tag("long")
    void aThousandNodesKilledAtAnyMomentLeaveNothing() throws Exception {
        killNodes(KILLS_LONG);
    }

    private void killNodes(int kills) throws Exception {
        Victim next = new Victim();
        for (int kill = 0; kill < kills; kill++) {
            Victim victim = next;
            // Its start takes longer than everything else.
            next = new Victim();
            try {
                Moment moment = moment();
                long delay = random.nextInt(moment.stepsMax) * STEP_NANOS;
                String last = victim.killAt(moment, delay);
                assertNextStartTakesAwayAll(
                        victim.config,
                        last,
                        "kill " + kill + " of seed " + seed + ": " + delay / 1000 + " us after " + last);
            } catch (AssertionError | RuntimeException failed) {
                victim.process.destroyForcibly();
                next.process.destroyForcibly();
                throw failed;
            }
        }
        next.process.destroyForcibly().waitFor();
        sweep(next.config);
    }

    private void assertNextStartTakesAwayAll(OciDriverConfig config, String last, String when) throws IOException {
        SandboxDriver driver = OciSandboxes.open(config, blocking);
        try {
            for (ListedSandbox left : outcome(driver.list(new Selection.All()))) {
                assertThat(left.owner()).isEqualTo(new ListedSandbox.ThisNode());
                outcome(driver.destroy(left.id()));
            }
            assertThat(outcome(driver.list(new Selection.All()))).as(when).isEmpty();
            assertThat(Leftovers.things(config)).as(when).isEmpty();
            // The attempt that was interrupted can have a sandbox, and has one.
            SandboxId again = newId();
            outcome(create(driver, again, attempt(last.substring(last.indexOf(' ') + 1))));
            assertThat(outcome(driver.list(new Selection.All())))
                    .as(when)
                    .containsExactly(new ListedSandbox(again, new ListedSandbox.ThisNode()));
            outcome(driver.destroy(again));
        } finally {
            driver.close();
        }
        Awaitility.await(when).atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(Leftovers.all(config))
                .isEmpty());
        PrivateFolder.removeTree(
                config.state().resolve(StateFolder.mark(config.engine().installation())));
    }

    private void sweep(OciDriverConfig config) throws IOException {
        try (SandboxDriver driver = OciSandboxes.open(config, blocking)) {
            for (ListedSandbox left : outcome(driver.list(new Selection.All()))) {
                outcome(driver.destroy(left.id()));
            }
        }
        PrivateFolder.removeTree(
                config.state().resolve(StateFolder.mark(config.engine().installation())));
    }

    /** A node in a process of its own, which creates, claims and destroys one sandbox after the other until it is killed. */
    private static final class Victim {
        final OciDriverConfig config =
                OciSandboxes.config("test-" + UlidCreator.getUlid().toLowerCase(), "node-1");
        final Process process;
        private final BufferedReader said;

        Victim() throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-Xmx128m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Node.class.getName(),
                            config.engine().installation())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            said = process.inputReader(StandardCharsets.UTF_8);
        }

        /** Kills it so long after the line, and returns the line. */
        String killAt(Moment moment, long delayNanos) throws IOException, InterruptedException {
            await("ready");
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            String line = await(moment.said());
            long until = System.nanoTime() + delayNanos;
            for (long left = delayNanos; left > 0; left = until - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            process.destroyForcibly().waitFor();
            return line;
        }

        private String await(String word) throws IOException {
            String line = said.readLine();
            while (line != null && !line.startsWith(word)) {
                line = said.readLine();
            }
            if (line == null) {
                throw new AssertionError("The node ended before it said " + word);
            }
            return line;
        }
    }

    /** The victim's program. */
    static final class Node {
        private Node() {}

        public static void main(String[] arguments) throws IOException {
            SandboxDriver driver =
                    OciSandboxes.open(OciSandboxes.config(arguments[0], "node-1"), Executors.newCachedThreadPool());
            // So that classes are loaded.
            live(driver, false);
            System.out.println("ready");
            int unused = System.in.read();
            Thread lives = new Thread(() -> {
                while (true) {
                    live(driver, true);
                }
            });
            lives.setDaemon(true);
            lives.start();
            // It must not outlive the test.
            unused = System.in.read();
            System.exit(1);
        }

        private static void live(SandboxDriver driver, boolean aloud) {
            SandboxId id = newId();
            say(Moment.CREATE, id, aloud);
            // One made ahead is claimed when an attempt wants it, and one made for an attempt has its claim.
            boolean ahead = id.value().hashCode() % 2 == 0;
            outcome(
                    ahead
                            ? driver.create(
                                    id,
                                    driver.waiting(template()).orElseThrow(),
                                    new Purpose.ToWait(),
                                    new RecordingListener())
                            : create(driver, id, attempt(id.value())));
            if (ahead) {
                say(Moment.CLAIM, id, aloud);
                outcome(driver.claim(id, attempt(id.value()), template()));
            }
            say(Moment.DESTROY, id, aloud);
            outcome(driver.destroy(id));
        }

        private static void say(Moment moment, SandboxId id, boolean aloud) {
            if (aloud) {
                System.out.println(moment.said() + " " + id.value());
            }
        }
    }

    // ---- the launcher alone

    @Test
    void aLauncherKilledAtAnyMomentLeavesNothing() throws IOException {
        killLaunchers(LAUNCHER_KILLS);
    }

    @Test
    @Tag("long")
    void aThousandLaunchersKilledAtAnyMomentLeaveNothing() throws IOException {
        killLaunchers(KILLS_LONG);
    }

    private void killLaunchers(int kills) throws IOException {
        OciDriverConfig config =
                OciSandboxes.config("test-" + UlidCreator.getUlid().toLowerCase(), "node-1");
        String mark = StateFolder.mark(config.engine().installation());
        try (SandboxDriver driver = OciSandboxes.open(config, blocking)) {
            for (int kill = 0; kill < kills; kill++) {
                Moment moment = random.nextInt(3) > 0 ? Moment.CREATE : Moment.DESTROY;
                long delay = random.nextInt(moment.stepsMax) * STEP_NANOS;
                SandboxId id = newId();
                CompletionStage<?> work = create(driver, id, attempt(id.value()));
                if (moment == Moment.DESTROY) {
                    outcome(work);
                    work = driver.destroy(id);
                }
                LockSupport.parkNanos(delay);
                launchers(mark).forEach(ProcessHandle::destroyForcibly);
                String when = "kill " + kill + " of seed " + seed + ": " + delay / 1000 + " us after " + moment.said()
                        + " " + id;
                try {
                    outcome(work);
                } catch (CompletionException refused) {
                    assertThat(refused.getCause()).as(when).isInstanceOf(DriverException.class);
                }
                outcome(driver.destroy(id));
                assertThat(Leftovers.things(config)).as(when).isEmpty();
                Awaitility.await(when).pollInterval(Duration.ofMillis(10)).untilAsserted(() -> assertThat(
                                Leftovers.all(config).stream()
                                        .filter(left -> !left.contains("vivarium-launch"))
                                        .toList())
                        .isEmpty());
            }
        }
        Awaitility.await().untilAsserted(() -> assertThat(Leftovers.all(config)).isEmpty());
        PrivateFolder.removeTree(config.state().resolve(mark));
    }

    private static List<ProcessHandle> launchers(String mark) {
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info()
                        .commandLine()
                        .filter(line -> line.contains("vivarium-launch") && line.contains(mark))
                        .isPresent())
                .toList();
    }

    // ---- vocabulary of the tests

    private static CompletionStage<SandboxHandle> create(SandboxDriver driver, SandboxId id, AttemptName attempt) {
        return driver.create(id, template(), new Purpose.ForAttempt(attempt), new RecordingListener());
    }

    private static SandboxTemplate template() {
        return OciSandboxes.template("vivarium/python", Isolation.CONTAINER);
    }

    private static AttemptName attempt(String id) {
        return new AttemptName(new RunId(id), 1);
    }

    private static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }
}
