package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.transport.DockerHttpClient;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.driver.guest.GuestProgram;
import dev.vivarium.node.driver.linux.CgroupFiles;
import dev.vivarium.node.driver.linux.Sampler;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sandboxes as containers of a Docker engine. The container's attached standard input and output are the channel; the
 * guest comes from a volume; the container's name is the claim, because the engine gives each name once.
 *
 * <p>Containers are removed by the engine itself when they end, so that a dead node leaves nothing behind.
 */
public final class DockerDriver implements SandboxDriver {
    private static final Logger LOG = LoggerFactory.getLogger(DockerDriver.class);
    private static final long FACTS_FRESH_NANOS = Duration.ofSeconds(30).toNanos();
    /** Reading kernel files does not wait for anything, so more at once would gain nothing. */
    private static final int CONCURRENT_SAMPLES_MAX = 2;
    /** Questions how a sandbox ended; each may take seconds, and no kill may wait behind them. */
    private static final int CONCURRENT_ENDS_MAX = 4;

    private static final Path PROC = Path.of("/proc");

    private final DockerDriverConfig config;
    private final NodeClock clock;
    private final Engine engine;
    private final Labels labels;
    private final GuestVolume guest;
    private final ContainerEnd containerEnd;
    private final SandboxMaker maker;
    private final Bulkhead creates;
    private final Bulkhead calls;
    private final Bulkhead samples;
    private final ConcurrentMap<SandboxId, DockerSandbox> sandboxes = new ConcurrentHashMap<>();
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
        this.creates = bulkhead(blocking, config.concurrentCreatesMax(), config);
        this.calls = bulkhead(blocking, config.concurrentCallsMax(), config);
        this.samples = bulkhead(blocking, CONCURRENT_SAMPLES_MAX, config);
    }

    private static Bulkhead bulkhead(Executor blocking, int parallelMax, DockerDriverConfig config) {
        return new Bulkhead(
                blocking, parallelMax, config.waitingCallsMax(), "The container engine", EngineFailure::translate);
    }

    /** How many blocking calls a driver with this configuration makes at once, each of which needs a thread. */
    public static int blockingCallsMax(DockerDriverConfig config) {
        return config.concurrentCreatesMax()
                + config.concurrentCallsMax()
                + CONCURRENT_SAMPLES_MAX
                + CONCURRENT_ENDS_MAX;
    }

    /**
     * Opens a driver and asks the engine, blocking, what it can do. An engine that does not answer is no error: it may
     * come later, and until then each call fails with ENGINE_UNAVAILABLE.
     *
     * @param blocking runs all blocking work; has {@link #blockingCallsMax} threads for it
     * @throws IllegalArgumentException when the engine's address is none
     */
    public static DockerDriver open(DockerDriverConfig config, Executor blocking, NodeClock clock) {
        DockerDriver driver = new DockerDriver(config, blocking, clock);
        driver.factsAskedNanos.set(clock.nanos());
        try {
            driver.isolations = driver.engine.facts().isolations(config.runtimes());
        } catch (DriverException failure) {
            LOG.warn("No sandboxes can be made for now: {}", failure.getMessage());
        }
        return driver;
    }

    /**
     * What was last known; asked anew in the background when that is old. An engine that is away keeps what it had: what
     * it can do does not change by that, and runs wait for it.
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
                    failure -> LOG.debug("The engine's facts are the old ones: {}", failure.getMessage()));
        }
        return new Capabilities(isolations, processes);
    }

    @Override
    public CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        DockerSandbox sandbox = new DockerSandbox(id, template);
        if (purpose instanceof Purpose.ForAttempt claimed) {
            sandbox.claim();
            return create(sandbox, labels.attemptName(claimed.attempt()), listener);
        }
        return create(sandbox, labels.waitingName(id), listener);
    }

    private CompletionStage<SandboxHandle> create(DockerSandbox sandbox, String name, ChannelListener listener) {
        SandboxId id = sandbox.id();
        if (sandboxes.putIfAbsent(id, sandbox) != null) {
            return CompletableFuture.failedFuture(
                    new DriverException(DriverException.Kind.REFUSED, "There is a sandbox " + id + " already."));
        }
        creates.run(
                "making the sandbox",
                () -> {
                    SandboxHandle made = maker.make(sandbox, name, listener);
                    prepareToSample(sandbox);
                    return made;
                },
                sandbox.created()::complete,
                failure -> {
                    sandboxes.remove(id, sandbox);
                    sandbox.created().completeExceptionally(failure);
                });
        return sandbox.created();
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt) {
        return calls.run("claiming the sandbox", () -> {
            DockerSandbox sandbox = known(id);
            String container = sandbox.container().orElseThrow(() -> unknown(id));
            sandbox.claim();
            try {
                engine.call("claiming the sandbox", client -> client.renameContainerCmd(container)
                        .withName(labels.attemptName(attempt))
                        .exec());
                return Done.getInstance();
            } catch (DriverException failure) {
                if (EngineFailure.isNotFound(failure)) {
                    throw unknown(id);
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
        CompletableFuture<Done> gone = new CompletableFuture<>();
        DockerSandbox known = sandboxes.get(id);
        if (known == null) {
            removeAsync(gone, () -> containerEnd.removeAll(id));
            return gone;
        }
        known.doom();
        // A sandbox that is still being made cleans up after itself as soon as it notices, and may not be overtaken.
        known.afterCreation(() -> {
            boolean killed = known.kill();
            removeAsync(gone, () -> {
                known.container()
                        .ifPresentOrElse(
                                container -> containerEnd.remove(container, killed), () -> containerEnd.removeAll(id));
                sandboxes.remove(id, known);
            });
        });
        return gone;
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        return calls.run("listing sandboxes", () -> found(selection).stream()
                .flatMap(container -> labels.sandbox(container.getLabels()).stream())
                .filter(listed -> !guest.isCarrier(listed.id()))
                .toList());
    }

    /** The engine finds by name without looking at its other containers, and many attempts may ask at the same time. */
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
        // The engine puts a slash before each name.
        return Arrays.stream(names).anyMatch(name -> labels.isBefore(name.replaceFirst("^/", ""), attempt));
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        Optional<Sampler> fast = Optional.ofNullable(sandboxes.get(id))
                .flatMap(DockerSandbox::sampler)
                .filter(CgroupFiles.class::isInstance);
        return fast.isPresent()
                ? samples.run("measuring the sandbox", () -> sample(known(id), fast.get()))
                : calls.run("measuring the sandbox", () -> sample(known(id), sampler(known(id))));
    }

    @Override
    public void close() {
        sandboxes.values().forEach(DockerSandbox::disconnect);
        engine.close();
    }

    private void removeAsync(CompletableFuture<Done> gone, Runnable removal) {
        calls.run(
                "destroying the sandbox",
                () -> {
                    removal.run();
                    return Done.getInstance();
                },
                gone::complete,
                gone::completeExceptionally);
    }

    private SandboxSample sample(DockerSandbox sandbox, Sampler sampler) {
        try {
            return sandbox.upkeep().without(sampler.sample()).since(sandbox.birthCpuMillis());
        } catch (IOException gone) {
            // Usually with its sandbox; if that lives on, the next sample finds another way.
            sandbox.forget(sampler);
            throw unknown(sandbox.id());
        }
    }

    /** Finds out once how the sandbox can be measured. */
    private Sampler sampler(DockerSandbox sandbox) {
        return sandbox.sampler().orElseGet(() -> {
            String container = sandbox.container().orElseThrow(() -> unknown(sandbox.id()));
            Sampler found = controlGroup(sandbox, container)
                    .map(Sampler.class::cast)
                    .orElse(() -> engineSample(sandbox.id(), container));
            sandbox.sampler(found);
            return found;
        });
    }

    /** Before an agent runs: some of what it uses is counted from then on only. */
    private void prepareToSample(DockerSandbox sandbox) {
        try {
            if (sampler(sandbox) instanceof CgroupFiles files) {
                sandbox.born(files.sample().cpuMillis());
            }
        } catch (DriverException | IOException failure) {
            // It has just greeted. If it is gone already, its channel says so to whoever asked for it.
            LOG.debug("Sandbox {} cannot be measured yet: {}", sandbox.id(), failure.getMessage());
        }
    }

    /** Empty when the engine's machine is another one. */
    private Optional<CgroupFiles> controlGroup(DockerSandbox sandbox, String container) {
        Optional<CgroupFiles> group =
                sandbox.firstProcess().flatMap(process -> CgroupFiles.of(PROC, process.pid(), container));
        group.ifPresent(CgroupFiles::begin);
        return group;
    }

    private SandboxSample engineSample(SandboxId id, String container) {
        var stats = notFoundAsUnknown(
                id,
                () -> engine.ask(
                        "measuring the sandbox",
                        config.responseTimeout(),
                        DockerHttpClient.Request.Method.GET,
                        "/containers/" + container + "/stats?stream=false&one-shot=true"));
        Boolean outOfMemory = inspect(id, container).getState().getOOMKilled();
        return EngineStats.sample(stats, Boolean.TRUE.equals(outOfMemory));
    }

    private InspectContainerResponse inspect(SandboxId id, String container) {
        return notFoundAsUnknown(
                id,
                () -> engine.call("looking at the sandbox", client -> client.inspectContainerCmd(container)
                        .exec()));
    }

    private static <T> T notFoundAsUnknown(SandboxId id, Supplier<T> call) {
        try {
            return call.get();
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                throw unknown(id);
            }
            throw failure;
        }
    }

    private DockerSandbox known(SandboxId id) {
        return Optional.ofNullable(sandboxes.get(id)).orElseThrow(() -> unknown(id));
    }

    private static DriverException unknown(SandboxId id) {
        return new DriverException(DriverException.Kind.SANDBOX_UNKNOWN, "There is no sandbox " + id + ".");
    }
}
