package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.node.driver.oci.OciSandboxes;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.network.Networks;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.node.sandbox.NodeSandboxes;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Gives each test a driver on the real machine, with a separate installation that must leave nothing behind. */
final class TestSandboxes implements BeforeEachCallback, AfterEachCallback {
    static final String IMAGE = "vivarium/python";

    /** Sandboxes without a network need no support of this machine. */
    static final SandboxNetwork NO_NETWORK = SandboxNetwork.none("These tests give sandboxes no network.");

    /** A Python program that prints how many processes it could start and the errno of the first failure. */
    static final String FORKS_UNTIL_REFUSED =
            """
            import os, time
            started = 0
            try:
                while True:
                    if os.fork() == 0:
                        time.sleep(1000)
                    started += 1
            except OSError as error:
                print(started, error.errno)
            """;

    private final SandboxKind kind;
    private final UnaryOperator<DockerDriverConfig> change;
    private ExecutorService blocking;
    private DockerDriverConfig config;
    private boolean networked;
    private SandboxNetwork network = NO_NETWORK;
    private SandboxDriver driver;
    private final Map<SandboxId, SandboxHandle> created = new ConcurrentHashMap<>();
    private NodeSandboxes withNetworks;

    TestSandboxes() {
        this(Isolation.CONTAINER);
    }

    TestSandboxes(Isolation isolation) {
        this(
                isolation.hasOwnKernel() ? SandboxKind.GVISOR_OF_THE_ENGINE : SandboxKind.CONTAINER_OF_THE_ENGINE,
                UnaryOperator.identity());
    }

    TestSandboxes(SandboxKind kind) {
        this(kind, UnaryOperator.identity());
    }

    TestSandboxes(UnaryOperator<DockerDriverConfig> change) {
        this(SandboxKind.CONTAINER_OF_THE_ENGINE, change);
    }

    private TestSandboxes(SandboxKind kind, UnaryOperator<DockerDriverConfig> change) {
        this.kind = kind;
        this.change = change;
    }

    /** Lets sandboxes ask for a network. */
    TestSandboxes withNetwork() {
        networked = true;
        return this;
    }

    SandboxNetwork network() {
        return network;
    }

    /** A running sandbox. */
    record Live(SandboxId id, SandboxChannel channel, RecordingListener heard) {
        void start(int process, String... argv) {
            channel.send(new NodeFrame.Spawn(
                    process,
                    List.of(argv),
                    Map.of("PATH", "/usr/bin:/bin"),
                    "/workspace",
                    id.agentUid(),
                    id.agentUid(),
                    Map.of(),
                    Optional.empty(),
                    1 << 20));
        }

        /** Runs a Python program to its end and returns what it printed. */
        String python(int process, String program) {
            start(process, "python3", "-c", program);
            int exitCode = heard.awaitEnd(process);
            assertThat(exitCode)
                    .as(heard.output(process, NodeFrame.Stream.STDERR))
                    .isZero();
            return heard.output(process, NodeFrame.Stream.STDOUT).strip();
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Docker.run("version");
        blocking = Executors.newCachedThreadPool();
        config = change.apply(config("test-" + UlidCreator.getUlid().toLowerCase(), "node-1"));
        if (networked) {
            network = Networks.open(config.installation(), config.node());
        }
        driver = open();
        withNetworks = new NodeSandboxes(driver, network, ConfigFactory.load().getConfig("vivarium.egress"), blocking);
        EachIsolation.Here.assume(kind.isolation(), driver.capabilities().isolations());
    }

    private SandboxDriver open() {
        if (kind.driver() == SandboxKind.Driver.DOCKER) {
            return DockerDriver.open(config, blocking, NodeClock.system());
        }
        OciSandboxes.assumeRoot();
        return OciSandboxes.open(ociConfig(), blocking);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        List<String> left = left();
        for (SandboxId id : owned(driver)) {
            outcome(driver.destroy(id));
        }
        driver.close();
        network.close();
        blocking.shutdownNow();
        assertThat(left).as("sandboxes left behind").isEmpty();
    }

    static DockerDriverConfig config(String installation, String node) {
        return DockerDriverConfig.from(ConfigFactory.parseResources("docker-driver.conf"), installation, node);
    }

    SandboxKind kind() {
        return kind;
    }

    SandboxTemplate template() {
        return template(IMAGE);
    }

    SandboxTemplate template(String image) {
        return template(image, kind.isolation());
    }

    static SandboxTemplate template(String image, Isolation isolation) {
        return new SandboxTemplate(
                image,
                isolation,
                Limits.SMALLEST
                        .with(Limit.CPU, "1")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.PIDS, 64L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty());
    }

    static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }

    SandboxDriver driver() {
        return driver;
    }

    /** The driver's sandboxes with their networks. */
    NodeSandboxes withNetworks() {
        return withNetworks;
    }

    DockerDriverConfig config() {
        return config;
    }

    /** The configuration of a driver without the engine. */
    OciDriverConfig ociConfig() {
        return OciSandboxes.config(config.installation(), config.node());
    }

    ExecutorService blocking() {
        return blocking;
    }

    Live create() {
        return create(template());
    }

    Live create(SandboxTemplate template) {
        RecordingListener heard = new RecordingListener();
        if (kind.hasWaited()) {
            return claimed(new AttemptName(new RunId(newId().value()), 1), template);
        }
        return live(outcome(driver.create(newId(), template, new Purpose.ToWait(), heard)), heard);
    }

    /** A running sandbox of an attempt. */
    Live claimed(AttemptName attempt, SandboxTemplate template) {
        RecordingListener heard = new RecordingListener();
        SandboxTemplate first = kind.hasWaited() ? driver.waiting(template).orElseThrow() : template;
        Live sandbox = live(outcome(driver.create(newId(), first, new Purpose.ToWait(), heard)), heard);
        outcome(driver.claim(sandbox.id(), attempt, template));
        return sandbox;
    }

    static Live create(SandboxDriver driver, SandboxId id, SandboxTemplate template) {
        RecordingListener heard = new RecordingListener();
        SandboxChannel channel = outcome(driver.create(id, template, new Purpose.ToWait(), heard))
                .channel();
        heard.confirmOn(channel);
        return new Live(id, channel, heard);
    }

    private Live live(SandboxHandle made, RecordingListener heard) {
        created.put(made.id(), made);
        heard.confirmOn(made.channel());
        return new Live(made.id(), made.channel(), heard);
    }

    /** A running sandbox with its network. */
    Live create(SandboxTemplate template, NetworkAccess access) {
        RecordingListener heard = new RecordingListener();
        return live(outcome(withNetworks.make(newId(), template, new Purpose.ToWait(), access, heard)), heard);
    }

    /** The process of its guest, or of its own kernel, on this machine. */
    long pid(Live sandbox) {
        return created.get(sandbox.id()).initProcess().orElseThrow().pid();
    }

    /** The name of its control group. */
    String group(Live sandbox) {
        return kind.driver() == SandboxKind.Driver.DOCKER
                ? Docker.byLabel(Labels.SANDBOX + "=" + sandbox.id())
                : sandbox.id().value();
    }

    /** The sandboxes that a node of the driver's name has on the engine. */
    static List<SandboxId> owned(SandboxDriver driver) {
        return outcome(driver.list(new Selection.All())).stream()
                .filter(listed -> listed.owner() instanceof ListedSandbox.ThisNode)
                .map(ListedSandbox::id)
                .toList();
    }

    void destroy(Live sandbox) {
        outcome(withNetworks.destroy(sandbox.id()));
    }

    /** What remains of sandboxes: containers of the engine, or folders and control groups without it. */
    List<String> left() {
        return kind.driver() == SandboxKind.Driver.DOCKER ? containers() : OciSandboxes.left(ociConfig());
    }

    List<String> containers() {
        return Docker.containers(Labels.INSTALLATION + "=" + config.installation());
    }

    /** The outcome of a stage; throws its failure unwrapped. */
    static <T> T outcome(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof DriverException driverFailure) {
                throw driverFailure;
            }
            throw failure;
        }
    }

    static DriverException failure(CompletionStage<?> stage) {
        try {
            outcome(stage);
        } catch (DriverException expected) {
            return expected;
        }
        throw new AssertionError("This should have failed.");
    }
}
