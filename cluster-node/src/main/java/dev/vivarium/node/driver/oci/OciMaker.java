package dev.vivarium.node.driver.oci;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.container.ContainerSandbox;
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.guest.GuestChannel;
import dev.vivarium.node.driver.guest.GuestConnection;
import dev.vivarium.node.driver.guest.GuestStreams;
import dev.vivarium.node.driver.linux.GroupProcesses;
import dev.vivarium.node.driver.linux.InitProcess;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.node.driver.oci.StateFolder.Name;
import dev.vivarium.node.json.PlainJson;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates sandboxes step by step, blocking; when a step fails, undoes the earlier ones. */
final class OciMaker {
    private static final Logger LOG = LoggerFactory.getLogger(OciMaker.class);
    private static final Path PROC = Path.of("/proc");

    private final OciDriverConfig config;
    private final List<OciRuntime> runtimes;
    private final RuntimeConfig.Machine machine;
    private final SandboxFiles files;
    private final InheritedLimits inherited;
    private final RuntimeConfig walls;
    private final EngineImages engine;
    private final ImageTrees images;
    private final RootLayer layers;
    private final SandboxDisks disks;
    private final StateFolder state;
    private final Channels channels;
    private final Launcher launcher;
    private final Remover remover;
    private final BiFunction<ContainerSandbox, Name, CompletionStage<ClosedBecause>> whyEnded;

    OciMaker(
            OciDriverConfig config,
            List<OciRuntime> runtimes,
            InheritedLimits inherited,
            RuntimeConfig.Machine machine,
            RuntimeConfig walls,
            SandboxFiles files,
            EngineImages engine,
            ImageTrees images,
            RootLayer layers,
            SandboxDisks disks,
            StateFolder state,
            Channels channels,
            Launcher launcher,
            Remover remover,
            BiFunction<ContainerSandbox, Name, CompletionStage<ClosedBecause>> whyEnded) {
        this.config = config;
        this.runtimes = List.copyOf(runtimes);
        this.inherited = inherited;
        this.machine = machine;
        this.walls = walls;
        this.files = files;
        this.engine = engine;
        this.images = images;
        this.layers = layers;
        this.disks = disks;
        this.state = state;
        this.channels = channels;
        this.launcher = launcher;
        this.remover = remover;
        this.whyEnded = whyEnded;
    }

    /** Creates the sandbox, for an attempt if there is one already, and returns once the guest has greeted. */
    SandboxHandle make(ContainerSandbox sandbox, Optional<AttemptName> attempt, ChannelListener listener) {
        requirePossible(sandbox.template());
        sandbox.requireWanted();
        EngineImages.Image image = engine.usable(sandbox.template().image());
        sandbox.image(image.id());
        try {
            return make(sandbox, attempt, image, images.tree(image.id()), listener);
        } catch (DriverException failure) {
            if (failure.kind() == Kind.REFUSED) {
                // The image's files may be damaged.
                images.distrust(image.id());
            }
            throw failure;
        }
    }

    /**
     * Creates a sandbox of no image and removes it: whether the machine lets this runtime do all that a sandbox needs. What is
     * installed does not tell, since a container, say, may lack the power to mount or to make control groups.
     *
     * @param disk the size of its disk
     * @param nothing an empty folder
     * @param use receives the sandbox while it lives
     * @throws DriverException with the sentence that runs would fail with
     */
    void rehearse(SandboxId id, Isolation isolation, ByteSize disk, Path nothing, Consumer<ContainerSandbox> use) {
        Limits limits = Limits.SMALLEST.with(Limit.CPU, "1").with(Limit.DISK, disk);
        ContainerSandbox sandbox =
                new ContainerSandbox(id, new SandboxTemplate("", isolation, limits, Optional.empty()));
        make(sandbox, Optional.empty(), new EngineImages.Image("", Map.of()), nothing, new Nobody());
        try {
            use.accept(sandbox);
        } finally {
            undo(sandbox, state.name(id));
        }
    }

    private SandboxHandle make(
            ContainerSandbox sandbox,
            Optional<AttemptName> attempt,
            EngineImages.Image image,
            Path tree,
            ChannelListener listener) {
        int runtime = runtimeOf(sandbox.template().isolation());
        Name name = state.name(sandbox.id());
        try {
            begin(sandbox.id(), image);
            attempt.ifPresent(claimed -> claim(sandbox.id(), claimed));
            Path layer = write(sandbox, name, tree);
            return start(sandbox, name, runtime, layer, tree, urgency(sandbox, attempt), image, listener);
        } catch (DriverException failure) {
            undo(sandbox, name);
            throw failure;
        } catch (IOException failed) {
            undo(sandbox, name);
            throw new DriverException(
                    Kind.REFUSED,
                    "The sandbox's state cannot be written to " + state.own() + ": " + failed.getMessage()
                            + ". The node's operator can make room there (vivarium.driver.oci.state).",
                    failed);
        } finally {
            channels.forget(sandbox.id());
        }
    }

    /** Fails with REFUSED when this node cannot have such a sandbox. */
    void requirePossible(SandboxTemplate template) {
        runtimeOf(template.isolation());
        inherited.objection(template.limits()).ifPresent(why -> {
            throw new DriverException(Kind.REFUSED, why);
        });
    }

    /** The number of the class's runtime. */
    private int runtimeOf(Isolation isolation) {
        for (int number = 0; number < runtimes.size(); number++) {
            if (runtimes.get(number).isolation() == isolation) {
                return number;
            }
        }
        throw new DriverException(
                Kind.REFUSED,
                "Isolation " + isolation.name().toLowerCase(Locale.ROOT)
                        + " is not available: this node has no runtime for it.");
    }

    private void begin(SandboxId id, EngineImages.Image image) throws IOException {
        Path folder;
        try {
            folder = state.begin(id);
        } catch (FileAlreadyExistsException remains) {
            throw new DriverException(Kind.REFUSED, "There is a sandbox " + id + " already.", remains);
        }
        Files.writeString(folder.resolve(StateFolder.IMAGE), image.id());
    }

    private void claim(SandboxId id, AttemptName attempt) {
        try {
            state.claim(id, attempt);
        } catch (IOException failed) {
            throw new DriverException(Kind.REFUSED, "The attempt cannot be claimed: " + failed.getMessage(), failed);
        }
    }

    /** Writes the runtime's configuration and the files it binds, and returns its layer. */
    private Path write(ContainerSandbox sandbox, Name name, Path tree) throws IOException {
        sandbox.upkeep(RuntimeOverhead.of(sandbox.template(), machine.cpus()));
        RuntimeConfig.Place place = new RuntimeConfig.Place(
                "root",
                remover.group(name),
                Map.of(
                        "dev.vivarium.installation", config.engine().installation(),
                        "dev.vivarium.node", config.engine().node(),
                        "dev.vivarium.sandbox", sandbox.id().value()),
                files.create(sandbox.id(), sandbox.template(), tree));
        ObjectNode file = walls.of(sandbox.id(), sandbox.template(), place);
        Path layer = layers.of(sandbox.template(), file);
        if (disks.isFor(sandbox.template().limits())) {
            sandbox.storesOnDisk();
            disks.make(
                    name,
                    state.folder(name),
                    sandbox.template().limits(),
                    sandbox.id().agentUid(),
                    file);
        }
        Files.write(state.folder(name).resolve("config.json"), PlainJson.MAPPER.writeValueAsBytes(file));
        return layer;
    }

    /** A kernel of its own has many threads, which nobody would give their priority back. */
    private static Launcher.Urgency urgency(ContainerSandbox sandbox, Optional<AttemptName> attempt) {
        return attempt.isPresent() || sandbox.template().isolation().hasOwnKernel()
                ? Launcher.Urgency.AWAITED
                : Launcher.Urgency.AHEAD;
    }

    private SandboxHandle start(
            ContainerSandbox sandbox,
            Name name,
            int runtime,
            Path layer,
            Path tree,
            Launcher.Urgency urgency,
            EngineImages.Image image,
            ChannelListener listener) {
        long limitMillis = config.engine().guestStartTimeout().toMillis();
        CompletableFuture<GuestConnection> connected = channels.expect(sandbox.id());
        sandbox.contain(sandbox.id().value());
        CompletableFuture<Launcher.Made> made = launcher.make(name, runtime, layer, tree, urgency);
        // A failure of the runtime ends the wait for the channel.
        CompletableFuture<GuestConnection> unused = made.handle((ignored, failure) -> failure)
                .thenApply(failure -> {
                    if (failure != null) {
                        connected.completeExceptionally(failure);
                    }
                    return null;
                });
        GuestChannel channel = new GuestChannel(
                sandbox.id(),
                await(connected, limitMillis, name),
                new PlainStream(),
                config.engine().channel(),
                listener,
                () -> whyEnded.apply(sandbox, name));
        channel.open();
        sandbox.connect(channel);
        long pid = await(made, limitMillis, name).pid();
        await(channel.greeted(), limitMillis, name);
        InitProcess.of(PROC, pid, sandbox.id().value()).ifPresent(sandbox::runsAs);
        sandbox.requireWanted();
        throttle(sandbox, pid);
        return new SandboxHandle(
                sandbox.id(),
                channel,
                image.environment(),
                sandbox.firstProcess().map(InitProcess::handle));
    }

    /** Puts the run's share of the processors on, for which the sandbox need not wait while it starts. */
    private void throttle(ContainerSandbox sandbox, long pid) {
        GroupProcesses group = GroupProcesses.of(PROC, pid, sandbox.id().value())
                .orElseThrow(() -> new DriverException(
                        Kind.GUEST_SILENT, "The sandbox ended before its share of the processors was set."));
        try {
            group.throttle(walls.cpuQuotaMicros(sandbox.template()));
        } catch (IOException failed) {
            throw new DriverException(
                    Kind.REFUSED,
                    "The sandbox's share of the processors cannot be set: " + failed.getMessage() + ".",
                    failed);
        }
    }

    private <T> T await(CompletableFuture<T> step, long limitMillis, Name name) {
        try {
            return step.get(limitMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException silent) {
            throw new DriverException(
                    Kind.GUEST_SILENT,
                    "The sandbox's guest did not greet within " + limitMillis
                            + " ms: its runtime hangs, or the machine is overloaded.",
                    silent);
        } catch (ExecutionException ended) {
            if (ended.getCause() instanceof DriverException refusal) {
                throw refusal;
            }
            throw new DriverException(
                    Kind.GUEST_SILENT,
                    "The sandbox ended before its guest greeted. "
                            + (ended.getCause() == null
                                    ? ""
                                    : String.valueOf(ended.getCause().getMessage())),
                    ended);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new DriverException(
                    Kind.GUEST_SILENT, "The node was stopped while sandbox " + name + " started.", interrupted);
        }
    }

    private void undo(ContainerSandbox sandbox, Name name) {
        sandbox.disconnect();
        try {
            disks.remove(name);
            remover.remove(name);
        } catch (DriverException | IOException failure) {
            LOG.warn("The remains of sandbox {} stay until the next sweep: {}", sandbox.id(), failure.getMessage());
        }
    }

    /** Listens to a sandbox without a run. */
    private static final class Nobody implements ChannelListener {
        @Override
        public void onFrame(GuestFrame frame) {}

        @Override
        public void onClosed(ClosedBecause why) {}
    }

    /** The channel's stream has the guest's standard output alone; the launcher reads its standard error. */
    private static final class PlainStream implements GuestStreams {
        @Override
        public void split(ByteBuffer bytes, Sink sink) {
            sink.stdout(bytes);
        }

        @Override
        public void end() {}
    }
}
