package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.program.NodeProgram;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A runtime that is broken, or breaks while sandboxes live: each fails with a sentence, and nothing of it stays. */
class RuntimeFaultsTest {
    /** In the command lines of what a hanging runtime leaves running. */
    private final String seconds = "4321." + System.nanoTime();

    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final RecordingListener heard = new RecordingListener();

    @TempDir
    private Path folder;

    private Path runtime;
    private String real;
    private OciDriverConfig config;
    private Optional<SandboxDriver> driver = Optional.empty();
    private Optional<Path> mounted = Optional.empty();

    @BeforeEach
    void begin() {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
        real = OciRuntime.search(Isolation.CONTAINER, Optional.empty(), Duration.ofSeconds(20))
                .runtime()
                .orElseThrow()
                .program()
                .toString();
        runtime = folder.resolve("crun");
        config = OciSandboxes.config(
                "test-" + UlidCreator.getUlid().toLowerCase(),
                "node-1",
                "runtimes.container = \"" + runtime + "\"\nguest-start-timeout = 2 seconds\nstart-timeout = 3 seconds");
    }

    @AfterEach
    void nothingIsLeft() {
        driver.ifPresent(SandboxDriver::close);
        blocking.shutdownNow();
        assertThat(Leftovers.things(config)).isEmpty();
        Awaitility.await().until(() -> ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .noneMatch(line -> line.contains(seconds) || line.contains(folder.toString())));
        mounted.ifPresent(place -> command("umount", "--recursive", place.toString()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    echo crun version 1.4.5 | is of version 1.4.5, and crun 1.8 is the oldest that can be used
                    sleep $SECONDS; true    | does not say its version: it had not answered after 3000 ms
                    exit 1                  | is no runtime that is known here: asked for its version, it said ""
                    """)
    void aNodeSaysWhyItCannotUseARuntime(String script, String why) throws IOException {
        install(script.replace("$SECONDS", seconds));

        assertThat(refusal()).isEqualTo(runtime + " " + why);
    }

    @Test
    void aNodeSaysThatARuntimeIsMissing() {
        assertThat(refusal()).isEqualTo(runtime + " is no program");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    sleep $SECONDS                     | did not greet within 2000 ms: its runtime hangs
                    exit 0                             | what the runtime started has ended already
                    echo mounting is forbidden >&2; exit 1 | the runtime ended with code 1. mounting is forbidden
                    """)
    void aNodeSaysThatARuntimeCannotMakeSandboxesHere(String script, String why) throws IOException {
        install("case \"$*\" in *\" run \"*) " + script.replace("$SECONDS", seconds) + "; esac; exec " + real
                + " \"$@\"");

        assertThat(refusal())
                .startsWith("crun ")
                .contains("cannot make sandboxes on this machine: ")
                .contains(why)
                .doesNotEndWith(".");
    }

    @Test
    void aClassWhoseRuntimeCannotMakeSandboxesIsNotOffered() throws IOException {
        install("exec " + real + " \"$@\"");
        Path runsc = folder.resolve("runsc");
        Files.writeString(
                runsc,
                """
                #!/bin/sh
                case "$*" in *--version*) echo runsc version release-20240729.0; exit 0; esac
                echo no kernel for you >&2; exit 1
                """);
        Files.setPosixFilePermissions(runsc, PosixFilePermissions.fromString("rwx------"));
        config = OciSandboxes.config(
                config.engine().installation(),
                "node-1",
                "runtimes.container = \"" + runtime + "\"\nruntimes.gvisor = \"" + runsc + "\"");

        open();

        assertThat(driver.orElseThrow().capabilities().isolations()).containsExactly(Isolation.CONTAINER);
    }

    private String refusal() {
        OciSupport support = OciSupport.open(config, blocking, NodeClock.system());
        assertThat(support).isInstanceOf(OciSupport.Not.class);
        return ((OciSupport.Not) support).why();
    }

    @Test
    void aRuntimeThatHangsInCreateIsGivenUpWithItsChildren() throws IOException {
        install("exec " + real + " \"$@\"");
        open();
        install("case \"$*\" in *\" run \"*) sleep " + seconds + "; esac; exec " + real + " \"$@\"");

        assertThat(failure(create(newId())))
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(Kind.GUEST_SILENT))
                .hasMessageContaining("did not greet within 2000 ms: its runtime hangs");
    }

    @Test
    void aRuntimeThatDoesNothingIsRefused() throws IOException {
        install("exec " + real + " \"$@\"");
        open();
        install("case \"$*\" in *\" run \"*) exit 0; esac; exec " + real + " \"$@\"");

        assertThat(failure(create(newId())))
                .hasMessageContaining("The sandbox could not be started: what the runtime started has ended already");
    }

    @Test
    void aRuntimeMayBeReplacedByABrokenOne() throws IOException {
        install("exec " + real + " \"$@\"");
        open();
        SandboxHandle living = outcome(create(newId(), heard));
        heard.confirmOn(living.channel());

        install("echo this is no runtime >&2; exit 3");

        assertThat(failure(create(newId())))
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(Kind.REFUSED))
                .hasMessage("The sandbox could not be started: the runtime ended with code 3. this is no runtime");
        assertLivesAndEnds(living);
    }

    @Test
    void aRuntimeMayBeRemovedAndComeBack() throws IOException {
        install("exec " + real + " \"$@\"");
        open();
        SandboxHandle living = outcome(create(newId(), heard));
        heard.confirmOn(living.channel());

        Files.delete(runtime);

        assertThat(failure(create(newId())))
                .hasMessageContaining("The sandbox could not be started: ")
                .hasMessageContaining(runtime + ": No such file or directory");
        assertLivesAndEnds(living);
        install("exec " + real + " \"$@\"");
        SandboxId again = newId();
        outcome(create(again));
        outcome(driver.orElseThrow().destroy(again));
    }

    private void assertLivesAndEnds(SandboxHandle living) {
        living.channel().send(new NodeFrame.Ping(7));
        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
        outcome(driver.orElseThrow().destroy(living.id()));
        assertThat(living.initProcess().orElseThrow().isAlive()).isFalse();
        assertThat(outcome(driver.orElseThrow().list(new Selection.All()))).isEmpty();
    }

    /** It would take as long as a third of a creation, and nothing is left for it to do. */
    @Test
    void aSandboxIsRemovedWithoutItsRuntime() throws IOException {
        Path asked = folder.resolve("asked");
        install("case \"$*\" in *\" delete \"*) touch " + asked + "; esac; exec " + real + " \"$@\"");
        open();
        SandboxId id = newId();
        outcome(create(id));

        outcome(driver.orElseThrow().destroy(id));

        assertThat(Leftovers.things(config)).isEmpty();
        assertThat(asked).doesNotExist();
    }

    /** The launcher gives it up after ten seconds. */
    @Test
    @Tag("long")
    void aRuntimeWithAKernelThatHangsInDeleteIsGivenUpWithItsChildren() throws IOException {
        Optional<OciRuntime> gvisor = OciRuntime.search(Isolation.GVISOR, Optional.empty(), Duration.ofSeconds(20))
                .runtime();
        assumeTrue(gvisor.isPresent(), "There is no runsc on this machine.");
        runtime = folder.resolve("runsc");
        install("case \"$*\" in *\" delete \"*) sleep " + seconds + "; esac; exec "
                + gvisor.orElseThrow().program() + " \"$@\"");
        config = OciSandboxes.config(
                config.engine().installation(),
                "node-1",
                "runtimes.container = \"" + real + "\"\nruntimes.gvisor = \"" + runtime + "\"");
        open();
        assumeTrue(
                driver.orElseThrow().capabilities().isolations().contains(Isolation.GVISOR),
                "runsc makes no sandboxes on this machine.");
        SandboxId id = newId();
        outcome(driver.orElseThrow()
                .create(
                        id,
                        OciSandboxes.template("vivarium/python", Isolation.GVISOR),
                        new Purpose.ToWait(),
                        new RecordingListener()));

        outcome(driver.orElseThrow().destroy(id));
    }

    // ---- the launcher's program and the node's own files

    @Test
    void aLauncherWhoseProgramWasRemovedIsWrittenAgain() throws IOException {
        Path programs = folder.resolve("programs");
        try (Launcher launcher = new Launcher(
                () -> List.of(
                        NodeProgram.LAUNCH.in(programs).toString(),
                        folder.toString(),
                        "/vivarium/none",
                        "--runtime",
                        real),
                Duration.ofSeconds(20))) {
            launcher.start();
            PrivateFolder.removeTree(programs);
            ProcessHandle.current()
                    .children()
                    .filter(child -> child.info().commandLine().orElse("").contains(programs.toString()))
                    .forEach(ProcessHandle::destroyForcibly);
            Awaitility.await().untilAsserted(() -> {
                launcher.start();
                assertThat(programs).isNotEmptyDirectory();
            });
        }
    }

    @Test
    void aLayerThatWasRemovedIsMadeAgain() throws IOException {
        install("exec " + real + " \"$@\"");
        open();
        SandboxId first = newId();
        outcome(create(first));
        outcome(driver.orElseThrow().destroy(first));
        Path node = config.state()
                .resolve(StateFolder.mark(config.engine().installation()))
                .resolve(StateFolder.mark("node-1"));
        PrivateFolder.removeTree(node.resolve("layers"));

        SandboxId second = newId();
        outcome(create(second));
        outcome(driver.orElseThrow().destroy(second));
    }

    // ---- a state folder that cannot be written to

    @Test
    void aFullStateFolderIsRefusedAndLiveSandboxesEnd() throws Exception {
        Path state = openWithStateOnATmpfs();
        SandboxHandle living = outcome(create(newId(), heard));
        heard.confirmOn(living.channel());
        Path ballast = state.resolve("ballast");
        command("sh", "-c", "head -c 32M /dev/zero > " + ballast + " || true");

        assertThat(failure(create(newId())))
                .hasMessageStartingWith("The sandbox's state cannot be written to " + state)
                .hasMessageContaining("No space left on device")
                .hasMessageEndingWith("The node's operator can make room there (vivarium.driver.oci.state).");

        assertThat(Leftovers.things(config))
                .allMatch(left -> left.contains(living.id().value()));
        assertLivesAndEnds(living);
        Files.delete(ballast);
        SandboxId again = newId();
        outcome(create(again));
        outcome(driver.orElseThrow().destroy(again));
    }

    @Test
    void aReadOnlyStateFolderIsRefusedAndLiveSandboxesEndWhenItIsWritable() throws Exception {
        Path state = openWithStateOnATmpfs();
        SandboxHandle living = outcome(create(newId(), heard));
        heard.confirmOn(living.channel());
        // On top, since the node's lock is a file that is open for writing.
        command("mount", "--bind", state.toString(), state.toString());
        command("mount", "-o", "remount,bind,ro", state.toString());

        assertThat(failure(create(newId()))).hasMessageContaining("Read-only file system");
        assertThat(failure(driver.orElseThrow().destroy(living.id()))).hasMessageContaining("Read-only file system");
        assertThat(living.initProcess().orElseThrow().isAlive()).isFalse();

        command("umount", state.toString());
        outcome(driver.orElseThrow().destroy(living.id()));
        assertThat(outcome(driver.orElseThrow().list(new Selection.All()))).isEmpty();
    }

    private Path openWithStateOnATmpfs() throws IOException {
        Path state = folder.resolve("state");
        PrivateFolder.make(state);
        command("mount", "-t", "tmpfs", "-o", "mode=0700,size=8m", "vivarium-test", state.toString());
        mounted = Optional.of(state);
        install("exec " + real + " \"$@\"");
        config = OciSandboxes.config(
                config.engine().installation(),
                "node-1",
                "runtimes.container = \"" + runtime + "\"\nstate = \"" + state + "\"");
        open();
        return state;
    }

    private static void command(String... words) {
        try {
            Process process = new ProcessBuilder(words).inheritIO().start();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(String.join(" ", words)).isZero();
        } catch (IOException | InterruptedException failed) {
            throw new AssertionError(failed);
        }
    }

    // ---- vocabulary of the tests

    private void install(String script) throws IOException {
        Path fresh = Files.writeString(folder.resolve("new"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwx------"));
        Files.move(fresh, runtime, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void open() {
        driver = Optional.of(OciSandboxes.open(config, blocking));
    }

    private CompletionStage<SandboxHandle> create(SandboxId id) {
        return create(id, new RecordingListener());
    }

    private CompletionStage<SandboxHandle> create(SandboxId id, RecordingListener listener) {
        return driver.orElseThrow()
                .create(
                        id,
                        OciSandboxes.template("vivarium/python", Isolation.CONTAINER),
                        new Purpose.ToWait(),
                        listener);
    }

    private static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static DriverException failure(CompletionStage<?> stage) {
        try {
            outcome(stage);
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof DriverException refusal) {
                return refusal;
            }
            throw failed;
        }
        throw new AssertionError("This should have failed.");
    }
}
