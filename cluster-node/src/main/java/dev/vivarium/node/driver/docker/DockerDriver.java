package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.Container;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.Haste;
import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.driver.SocketUse;
import dev.vivarium.node.driver.container.ContainerMeter;
import dev.vivarium.node.driver.container.ContainerSandbox;
import dev.vivarium.node.driver.container.ContainerSandboxes;
import dev.vivarium.node.driver.guest.GuestProgram;
import dev.vivarium.node.driver.linux.CgroupFiles;
import dev.vivarium.node.driver.linux.CoreDumps;
import dev.vivarium.node.driver.linux.Sampler;
import dev.vivarium.protocol.run.Isolation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sandboxes as containers of a Docker engine. The container's attached standard input and output are the channel; the
 * guest comes from a volume; the container's name is the attempt's claim, because names are unique on an engine.
 *
 * <p>The engine removes containers when they end, so that a dead node leaves nothing behind.
 */
public final class DockerDriver implements SandboxDriver {
    private static final Logger LOG = LoggerFactory.getLogger(DockerDriver.class);
    private static final long FACTS_FRESH_NANOS = Duration.ofSeconds(30).toNanos();
    /** Reading kernel files does not block, so more threads would gain nothing. */
    private static final int CONCURRENT_SAMPLES_MAX = 2;
    /** Queries how a sandbox ended; each may take seconds, and no kill may wait behind them. */
    private static final int CONCURRENT_ENDS_MAX = 4;

    private static final Path PROC = Path.of("/proc");

    private final DockerDriverConfig config;
    private final NodeClock clock;
    private final Engine engine;
    private final Labels labels;
    private final GuestVolume guest;
    private final ContainerEnd containerEnd;
    private final SandboxMaker maker;
    private final ContainerMeter meter;
    private final Bulkhead calls;
    private final Bulkhead samples;
    private final ContainerSandboxes sandboxes;
    private final AtomicLong factsAskedNanos = new AtomicLong();
    private final Processes processes;
    private volatile Set<Isolation> isolations = Set.of();

    private DockerDriver(DockerDriverConfig config, Executor blocking, NodeClock clock) {
        this.config = config;
        this.clock = clock;
        this.engine = new Engine(EngineAddress.of(config.engine()), config.connectTimeout(), config.responseTimeout());
        this.processes = engine.address().isLocal() ? Processes.ON_THIS_MACHINE : Processes.ELSEWHERE;
        this.labels = new Labels(config);
        this.guest = new GuestVolume(engine, GuestProgram.load(), labels);
        this.containerEnd = new ContainerEnd(engine, labels, clock);
        this.maker = new SandboxMaker(
                config, engine, labels, guest, containerEnd, bulkhead(blocking, CONCURRENT_ENDS_MAX, config));
        EngineSampler byEngine = new EngineSampler(engine, config.responseTimeout());
        this.meter = new ContainerMeter(clock, (id, container) -> () -> byEngine.sample(id, container));
        this.calls = bulkhead(blocking, config.concurrentCallsMax(), config);
        this.samples = bulkhead(blocking, CONCURRENT_SAMPLES_MAX, config);
        this.sandboxes =
                new ContainerSandboxes(meter, bulkhead(blocking, config.concurrentCreatesMax(), config), calls);
    }

    private static Bulkhead bulkhead(Executor blocking, int parallelMax, DockerDriverConfig config) {
        return new Bulkhead(
                blocking, parallelMax, config.waitingCallsMax(), "The container engine", EngineFailure::translate);
    }

    /** The number of concurrent blocking calls of a driver with this configuration; each needs a thread. */
    public static int blockingCallsMax(DockerDriverConfig config) {
        return config.concurrentCreatesMax()
                + config.concurrentCallsMax()
                + CONCURRENT_SAMPLES_MAX
                + CONCURRENT_ENDS_MAX;
    }

    /**
     * Opens a driver and queries the engine's capabilities, blocking. An engine that does not answer is no error: it
     * may start later, and until then each call fails with ENGINE_UNAVAILABLE.
     *
     * @param blocking executor of all blocking work, with {@link #blockingCallsMax} threads
     * @throws IllegalArgumentException when the engine's address is invalid
     */
    public static DockerDriver open(DockerDriverConfig config, Executor blocking, NodeClock clock) {
        DockerDriver driver = new DockerDriver(config, blocking, clock);
        driver.factsAskedNanos.set(clock.nanos());
        if (driver.processes == Processes.ON_THIS_MACHINE) {
            CoreDumps.warning(PROC).ifPresent(LOG::warn);
        }
        try {
            driver.isolations = driver.engine.facts().isolations(config.runtimes());
        } catch (DriverException failure) {
            LOG.warn("No sandboxes can be created for now: {}", failure.getMessage());
        }
        return driver;
    }

    /**
     * The last known capabilities, refreshed in the background when they are old. An unreachable engine keeps its
     * capabilities: they do not change by that, and runs wait for it.
     */
    @Override
    public Capabilities capabilities() {
        long asked = factsAskedNanos.get();
        long now = clock.nanos();
        boolean old = isolations.isEmpty() || now - asked > FACTS_FRESH_NANOS;
        if (old && factsAskedNanos.compareAndSet(asked, now)) {
            calls.run(
                    "asking for its facts",
                    () -> engine.refreshFacts().isolations(config.runtimes()),
                    fresh -> isolations = fresh,
                    failure -> LOG.debug("The engine's facts could not be refreshed: {}", failure.getMessage()));
        }
        return new Capabilities(isolations, isolations, processes, Capabilities.Disks.inMemory(config.diskMax()));
    }

    @Override
    public CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        ContainerSandbox sandbox = new ContainerSandbox(id, template);
        if (purpose instanceof Purpose.ForAttempt claimed) {
            sandbox.claim();
            return create(sandbox, labels.attemptName(claimed.attempt()), listener);
        }
        return create(sandbox, labels.waitingName(id), listener);
    }

    private CompletionStage<SandboxHandle> create(ContainerSandbox sandbox, String name, ChannelListener listener) {
        return sandboxes.create(sandbox, () -> maker.make(sandbox, name, listener));
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template) {
        return calls.run("claiming the sandbox", () -> {
            ContainerSandbox sandbox = sandboxes.known(id);
            maker.requireSameImage(sandbox);
            String container = sandbox.container().orElseThrow(() -> ContainerSandbox.unknown(id));
            sandbox.claim();
            try {
                engine.call("claiming the sandbox", client -> client.renameContainerCmd(container)
                        .withName(labels.attemptName(attempt))
                        .exec());
                return Done.getInstance();
            } catch (DriverException failure) {
                if (EngineFailure.isNotFound(failure)) {
                    throw ContainerSandbox.unknown(id);
                }
                if (EngineFailure.isConflict(failure)) {
                    sandbox.unclaim();
                    throw new DriverException(
                            DriverException.Kind.ATTEMPT_CLAIMED,
                            "Attempt " + attempt.attempt() + " of run " + attempt.run() + " already has a sandbox.",
                            failure);
                }
                throw failure;
            }
        });
    }

    @Override
    public CompletionStage<Done> destroy(SandboxId id) {
        return sandboxes.destroy(id, () -> containerEnd.removeAll(id), (known, killed) -> known.container()
                .ifPresentOrElse(
                        container -> containerEnd.remove(container, killed), () -> containerEnd.removeAll(id)));
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        return calls.run("listing sandboxes", () -> found(selection).stream()
                .flatMap(container -> labels.sandbox(container.getLabels()).stream())
                .filter(listed -> !guest.isCarrier(listed.id()))
                .toList());
    }

    /** The engine finds names without inspecting its other containers, and many attempts may ask concurrently. */
    private List<Container> found(Selection selection) {
        if (selection instanceof Selection.EarlierThan earlier) {
            return containerEnd.list(labels.installationFilter(), labels.attemptNames(earlier.attempt())).stream()
                    .filter(container -> servesBefore(container, earlier.attempt()))
                    .toList();
        }
        return containerEnd.list(labels.installationFilter());
    }

    private boolean servesBefore(Container container, AttemptName attempt) {
        String[] names = container.getNames() == null ? new String[0] : container.getNames();
        // The engine prefixes each name with a slash.
        return Arrays.stream(names).anyMatch(name -> labels.isBefore(name.replaceFirst("^/", ""), attempt));
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        Optional<Sampler> fast =
                sandboxes.find(id).flatMap(ContainerSandbox::sampler).filter(CgroupFiles.class::isInstance);
        return fast.isPresent()
                ? samples.run("measuring the sandbox", () -> meter.sample(sandboxes.known(id), fast.get()))
                : calls.run(
                        "measuring the sandbox",
                        () -> meter.sample(sandboxes.known(id), meter.sampler(sandboxes.known(id))));
    }

    @Override
    public CompletionStage<Done> hastenEnd(SandboxId id, Haste haste) {
        return samples.run("ending the sandbox's processes", () -> {
            sandboxes.known(id).hastenEnd(haste);
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<KernelMemory> kernelMemory() {
        return processes == Processes.ON_THIS_MACHINE
                ? samples.run("measuring the kernel's memory", () -> meter.kernelMemory(sandboxes.all()))
                : SandboxDriver.super.kernelMemory();
    }

    @Override
    public CompletionStage<Long> kernelPages() {
        return processes == Processes.ON_THIS_MACHINE
                ? samples.run("measuring the kernel's pages", () -> meter.kernelPages(sandboxes.all()))
                : SandboxDriver.super.kernelPages();
    }

    @Override
    public CompletionStage<Map<SandboxId, SocketUse>> sockets() {
        return processes == Processes.ON_THIS_MACHINE
                ? samples.run("measuring the memory of sockets", () -> meter.sockets(sandboxes.all()))
                : SandboxDriver.super.sockets();
    }

    @Override
    public void close() {
        sandboxes.disconnect();
        engine.close();
    }
}
