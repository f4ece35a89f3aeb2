package dev.vivarium.node.driver.oci;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
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
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.guest.GuestExit;
import dev.vivarium.node.driver.guest.GuestProgram;
import dev.vivarium.node.driver.linux.CoreDumps;
import dev.vivarium.node.driver.linux.Sampler;
import dev.vivarium.node.driver.oci.StateFolder.Name;
import dev.vivarium.node.program.NodeProgram;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sandboxes as containers created by an OCI runtime of this machine, started by the node's launcher. Their channel is a
 * socket of the node, so that the node's death ends the guest; they are named by folders, links and control groups, which
 * the kernel creates exclusively and which outlive the node.
 */
public final class OciDriver implements SandboxDriver {
    private static final Logger LOG = LoggerFactory.getLogger(OciDriver.class);
    /** Reading kernel files does not block, so more threads would gain nothing. */
    private static final int CONCURRENT_SAMPLES_MAX = 2;
    /** How long the launcher may take to report a sandbox's exit code after its channel has ended. */
    private static final Duration END_KNOWN_WITHIN = Duration.ofSeconds(5);

    /** Unused images stay for ten minutes at least, and unused disks for longer. */
    private static final Duration SWEEP_ONCE_IN = Duration.ofMinutes(1);

    private static final Path PROC = Path.of("/proc");

    private final OciDriverConfig config;
    private final NodeClock clock;
    /** When unused images and disks were last looked for. */
    private volatile Instant swept = Instant.MIN;

    private final EngineImages engine;
    private final ImageTrees images;
    private final SandboxDisks disks;
    private final StateFolder state;
    private final Channels channels;
    private final Launcher launcher;
    private final Remover remover;
    private final OciMaker maker;
    private final ContainerMeter meter;
    private final OciClaim claims;
    private final Bulkhead calls;
    private final Bulkhead samples;
    /** The classes that are offered; settled before the driver is used. */
    private final Set<Isolation> classes = EnumSet.noneOf(Isolation.class);
    /** Those whose sandboxes can be claimed; settled with them. */
    private final Set<Isolation> waiting = EnumSet.noneOf(Isolation.class);

    private final ContainerSandboxes sandboxes;

    private OciDriver(
            OciDriverConfig config, List<OciRuntime> runtimes, StateFolder state, Executor blocking, NodeClock clock)
            throws IOException {
        this.config = config;
        this.clock = clock;
        this.state = state;
        this.engine = new EngineImages(config.engine());
        PrivateFolder.make(config.folder());
        PrivateFolder.requireNotReplaceable(config.folder());
        this.images =
                new ImageTrees(config.folder(), engine::unpack, config.unpackTimeout(), config.imageLimits(), clock);
        this.disks =
                new SandboxDisks(config.folder().resolve("disks"), config.diskMemoryMax(), config.diskTimeout(), clock);
        disks.open(state.own().getFileName().toString());
        RootLayer layers = new RootLayer(state.own().resolve("layers"), GuestProgram.load());
        layers.open();
        this.channels = Channels.open(state.socket());
        this.launcher = new Launcher(() -> command(config, runtimes, state), config.startTimeout());
        this.remover = new Remover(state, launcher);
        RuntimeConfig.Machine machine = ThisMachine.facts(Path.of("/"), config.folder());
        RuntimeConfig walls = new RuntimeConfig(config.engine(), machine);
        SandboxFiles files = new SandboxFiles(state, machine.groups());
        this.maker = new OciMaker(
                config,
                runtimes,
                InheritedLimits.of(PROC.resolve("self")),
                machine,
                walls,
                files,
                engine,
                images,
                layers,
                disks,
                state,
                channels,
                launcher,
                remover,
                this::explain);
        this.meter = new ContainerMeter(clock, (id, container) -> () -> {
            throw new IOException("The control group of sandbox " + id + " cannot be seen.");
        });
        this.claims = new OciClaim(
                walls, machine.cpus(), files, new ImageQuestions(engine::usable, blocking), state, launcher, meter);
        this.calls = bulkhead(blocking, config.engine().concurrentCallsMax());
        this.samples = bulkhead(blocking, CONCURRENT_SAMPLES_MAX);
        this.sandboxes =
                new ContainerSandboxes(meter, bulkhead(blocking, config.engine().concurrentCreatesMax()), calls);
    }

    private Bulkhead bulkhead(Executor blocking, int parallelMax) {
        return new Bulkhead(
                blocking,
                parallelMax,
                config.engine().waitingCallsMax(),
                "The runtime of sandboxes",
                OciDriver::translate);
    }

    private static List<String> command(OciDriverConfig config, List<OciRuntime> runtimes, StateFolder state)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(NodeProgram.LAUNCH.in(config.folder().resolve("programs")).toString());
        command.add(state.installation().toString());
        command.add(Remover.groups(state.installation()));
        runtimes.forEach(runtime -> command.addAll(runtime.launch()));
        return command;
    }

    private static DriverException translate(String doing, Exception failure) {
        return failure instanceof DriverException already
                ? already
                : new DriverException(
                        Kind.REFUSED,
                        "It failed while " + doing + ": " + String.valueOf(failure.getMessage()),
                        failure);
    }

    /**
     * Opens a driver and starts its launcher, blocking.
     *
     * @param runtimes the runtimes that {@link OciSupport} has found
     * @param blocking executor of all blocking work, with as many threads as the Docker driver's
     * @throws IOException with a sentence, when this machine does not support it
     */
    static OciDriver open(OciDriverConfig config, List<OciRuntime> runtimes, Executor blocking, NodeClock clock)
            throws IOException {
        StateFolder state = StateFolder.open(
                config.state(), config.engine().installation(), config.engine().node());
        OciDriver driver;
        try {
            driver = new OciDriver(config, runtimes, state, blocking, clock);
        } catch (IOException unusable) {
            state.close();
            throw unusable;
        }
        try {
            driver.launcher.start();
            driver.rehearse(runtimes);
            driver.rehearseDisk();
        } catch (DriverException broken) {
            driver.close();
            throw new IOException(clause(broken), broken);
        } catch (IOException unusable) {
            driver.close();
            throw unusable;
        }
        CoreDumps.warning(PROC).ifPresent(LOG::warn);
        return driver;
    }

    /** Offers the classes in which a sandbox can be made; without class container the driver is of no use. */
    private void rehearse(List<OciRuntime> runtimes) throws IOException {
        Path nothing = nothing();
        for (OciRuntime runtime : runtimes) {
            try {
                maker.rehearse(
                        SandboxId.fresh(), runtime.isolation(), Limit.DISK.smallest(), nothing, this::rehearseClaim);
                classes.add(runtime.isolation());
            } catch (DriverException failed) {
                String why = runtime + " cannot make sandboxes on this machine: " + clause(failed);
                if (runtime.isolation() == Isolation.CONTAINER) {
                    throw new IOException(why, failed);
                }
                LOG.warn(
                        "Class {} is not offered: {}.",
                        runtime.isolation().name().toLowerCase(Locale.ROOT),
                        why);
            }
        }
    }

    private void rehearseClaim(ContainerSandbox sandbox) {
        Isolation isolation = sandbox.template().isolation();
        try {
            meter.begin(sandbox);
            claims.put(sandbox, sandbox.template());
            waiting.add(isolation);
        } catch (DriverException failed) {
            LOG.warn(
                    "No sandboxes of class {} are kept ready: {}",
                    isolation.name().toLowerCase(Locale.ROOT),
                    failed.getMessage());
        }
    }

    /** Without file systems in files, the disks of sandboxes are in memory, however large. */
    private void rehearseDisk() throws IOException {
        try {
            if (disks.smallest().isPresent()) {
                maker.rehearse(
                        SandboxId.fresh(), Isolation.CONTAINER, disks.smallest().get(), nothing(), made -> {});
            }
        } catch (DriverException failed) {
            LOG.warn(
                    "Large disks of sandboxes stay in memory, since a file system for one cannot be made: {}.",
                    clause(failed));
            disks.giveUp();
        }
    }

    private Path nothing() throws IOException {
        Path nothing = state.own().resolve("nothing");
        PrivateFolder.make(nothing);
        return nothing;
    }

    /** A failure's sentence without its full stop. */
    private static String clause(DriverException failure) {
        String sentence = String.valueOf(failure.getMessage());
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                classes,
                waiting,
                Processes.ON_THIS_MACHINE,
                disks.offered(config.engine().diskMax()));
    }

    @Override
    public CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener) {
        ContainerSandbox sandbox = new ContainerSandbox(id, template);
        Optional<AttemptName> attempt =
                purpose instanceof Purpose.ForAttempt claimed ? Optional.of(claimed.attempt()) : Optional.empty();
        if (attempt.isPresent()) {
            sandbox.claim();
        }
        return sandboxes.create(sandbox, () -> maker.make(sandbox, attempt, listener));
    }

    @Override
    public Optional<SandboxTemplate> waiting(SandboxTemplate wanted) {
        // A disk is made with its size, for its sandbox.
        return disks.isFor(wanted.limits()) ? Optional.empty() : Optional.of(RuntimeConfig.waiting(wanted));
    }

    @Override
    public CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template) {
        return calls.run("claiming the sandbox", () -> {
            maker.requirePossible(template);
            claims.claim(sandboxes.known(id), attempt, template);
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<Done> destroy(SandboxId id) {
        return sandboxes.destroy(id, () -> remover.removeAll(id), (known, killed) -> remover.remove(state.name(id)));
    }

    @Override
    public CompletionStage<List<ListedSandbox>> list(Selection selection) {
        return calls.run("listing sandboxes", () -> {
            try {
                if (selection instanceof Selection.EarlierThan earlier) {
                    return state.earlier(earlier.attempt());
                }
                sweepImages();
                return remover.all().stream().map(state::listed).toList();
            } catch (IOException unreadable) {
                throw Remover.unreadable(unreadable);
            }
        });
    }

    /** With listings for the reaper, at a node's start and periodically; it looks at the files of all nodes of the machine. */
    private void sweepImages() {
        Instant now = clock.now();
        if (now.isBefore(swept.plus(SWEEP_ONCE_IN))) {
            return;
        }
        swept = now;
        try {
            images.sweep(config.imageKeep(), () -> StateFolder.usedImages(config.state()));
            disks.sweep();
        } catch (IOException | UncheckedIOException failed) {
            LOG.warn("Unused images or disks could not be removed: {}", failed.getMessage());
        }
    }

    @Override
    public CompletionStage<SandboxSample> sample(SandboxId id) {
        return samples.run("measuring the sandbox", () -> {
            ContainerSandbox sandbox = sandboxes.known(id);
            return meter.sample(sandbox, meter.sampler(sandbox));
        });
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
        return samples.run("measuring the kernel's memory", () -> meter.kernelMemory(sandboxes.all()));
    }

    @Override
    public CompletionStage<Long> kernelPages() {
        return samples.run("measuring the kernel's pages", () -> meter.kernelPages(sandboxes.all()));
    }

    @Override
    public CompletionStage<Map<SandboxId, SocketUse>> sockets() {
        return samples.run("measuring the memory of sockets", () -> meter.sockets(sandboxes.all()));
    }

    /** Interprets the end of a channel. */
    private CompletionStage<ClosedBecause> explain(ContainerSandbox sandbox, Name name) {
        return launcher.ended(name)
                .thenApply(GuestExit::sentence)
                .completeOnTimeout(
                        "The sandbox has ended and is gone.", END_KNOWN_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .thenCompose(end -> samples.run("asking how the sandbox ended", () -> wasKilledForMemory(sandbox))
                        .thenApply(killed -> killed
                                ? new ClosedBecause(Cause.OUT_OF_MEMORY, "The kernel killed for memory. " + end)
                                : new ClosedBecause(Cause.SANDBOX_ENDED, end)));
    }

    /** Its control group exists until it is removed. */
    private static boolean wasKilledForMemory(ContainerSandbox sandbox) {
        try {
            Optional<Sampler> sampler = sandbox.sampler();
            return sampler.isPresent() && sampler.get().sample().outOfMemoryKills() > 0;
        } catch (IOException gone) {
            return false;
        }
    }

    @Override
    public void close() {
        sandboxes.disconnect();
        launcher.close();
        channels.close();
        engine.close();
        remover.close();
        try {
            state.close();
        } catch (IOException failed) {
            LOG.debug("The state folder could not be closed", failed);
        }
    }
}
