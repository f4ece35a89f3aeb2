package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.command.CreateContainerResponse;
import com.github.dockerjava.api.model.Mount;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.container.ContainerSandbox;
import dev.vivarium.node.driver.guest.GuestChannel;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.node.driver.linux.InitProcess;
import dev.vivarium.node.driver.linux.OwnFiles;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.protocol.run.ImageRef;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates sandboxes step by step, blocking; when a step fails, undoes the earlier ones. */
final class SandboxMaker {
    private static final Logger LOG = LoggerFactory.getLogger(SandboxMaker.class);
    private static final Path PROC = Path.of("/proc");

    private final DockerDriverConfig config;
    private final Engine engine;
    private final Labels labels;
    private final Images images;
    private final GuestVolume guest;
    private final AccountFiles accounts;
    private final BoundFiles files;
    private final HostMachine machine;
    private final ContainerSpec spec;
    private final ContainerEnd containerEnd;
    private final Bulkhead ends;
    private final ImagesDisk imagesDisk;

    SandboxMaker(
            DockerDriverConfig config,
            Engine engine,
            Labels labels,
            GuestVolume guest,
            ContainerEnd containerEnd,
            Bulkhead ends) {
        this.config = config;
        this.engine = engine;
        this.labels = labels;
        this.images = new Images(engine, config.pullPolicy(), config.pullTimeout());
        this.guest = guest;
        this.accounts = new AccountFiles(guest);
        this.files = new BoundFiles(guest);
        this.machine = HostMachine.read(Path.of("/"));
        this.spec = new ContainerSpec(config, guest.readOnlyMount());
        this.containerEnd = containerEnd;
        this.ends = ends;
        this.imagesDisk = new ImagesDisk(config.disk(), engine.address());
    }

    /**
     * Creates the sandbox and returns once the guest has greeted.
     *
     * @param containerName the container's name
     */
    SandboxHandle make(ContainerSandbox sandbox, String containerName, ChannelListener listener) {
        SandboxTemplate template = sandbox.template();
        ImageRef name = Images.reference(template.image());
        requireSupported(template);
        sandbox.requireWanted();
        UsableImage image = images.usable(name);
        sandbox.image(image.id());
        guest.ensure(image.id());
        try {
            return start(sandbox, containerName, image, listener);
        } catch (DriverException failure) {
            if (!lacksGuest(failure)) {
                throw failure;
            }
            LOG.warn("The guest program was missing from the engine's volume; storing it again");
            guest.distrust();
            guest.ensure(image.id());
            return start(sandbox, containerName, image, listener);
        }
    }

    /** Fails with UNSUITED when the sandbox's image has been rebuilt. */
    void requireSameImage(ContainerSandbox sandbox) {
        sandbox.requireImage(
                images.usable(Images.reference(sandbox.template().image())).id());
    }

    private SandboxHandle start(
            ContainerSandbox sandbox, String containerName, UsableImage image, ChannelListener listener) {
        boolean complete = false;
        List<Mount> bound = bind(sandbox, image);
        try {
            String container = create(sandbox, containerName, image.id(), bound);
            sandbox.contain(container);
            GuestChannel channel = new GuestChannel(
                    sandbox.id(),
                    engine.attach(container),
                    new EngineStream(),
                    config.channel(),
                    listener,
                    () -> ends.run("asking how the sandbox ended", () -> containerEnd.explain(container)));
            channel.open();
            sandbox.connect(channel);
            engine.call("starting the sandbox", client -> client.startContainerCmd(container)
                    .exec());
            awaitGreeting(channel);
            Optional<InitProcess> first = firstProcess(container);
            first.ifPresent(sandbox::runsAs);
            sandbox.requireWanted();
            complete = true;
            return new SandboxHandle(sandbox.id(), channel, image.environment(), first.map(InitProcess::handle));
        } finally {
            files.remove(bound);
            if (!complete) {
                undo(sandbox);
            }
        }
    }

    private List<Mount> bind(ContainerSandbox sandbox, UsableImage image) {
        if (!files.arePossible()) {
            return List.of();
        }
        return files.bind(
                sandbox.id(), OwnFiles.of(accounts.of(sandbox.id(), image.id()), machine, sandbox.template()));
    }

    private Optional<InitProcess> firstProcess(String container) {
        if (!engine.address().isLocal()) {
            return Optional.empty();
        }
        Long pid = engine.call("looking at the sandbox", client -> client.inspectContainerCmd(container)
                        .exec())
                .getState()
                .getPidLong();
        return pid == null || pid <= 0 ? Optional.empty() : InitProcess.of(PROC, pid, container);
    }

    private String create(ContainerSandbox sandbox, String name, String image, List<Mount> mounts) {
        try {
            return createOnce(sandbox, name, image, mounts);
        } catch (DriverException failure) {
            if (!EngineFailure.isConflict(failure)) {
                throw failure;
            }
        }
        // The name may belong to an earlier try for this same sandbox whose answer was lost.
        containerEnd.removeAll(sandbox.id());
        try {
            return createOnce(sandbox, name, image, mounts);
        } catch (DriverException failure) {
            if (EngineFailure.isConflict(failure)) {
                throw new DriverException(
                        DriverException.Kind.ATTEMPT_CLAIMED,
                        "The container engine has another sandbox named " + name + ".",
                        failure);
            }
            throw failure;
        }
    }

    private String createOnce(ContainerSandbox sandbox, String name, String image, List<Mount> mounts) {
        EngineFacts facts = engine.facts();
        sandbox.upkeep(RuntimeOverhead.of(sandbox.template(), facts.cpus()));
        Optional<Path> disk = imagesDisk.of(facts);
        try {
            return create(sandbox, name, image, mounts, facts, disk);
        } catch (DriverException failure) {
            if (disk.isEmpty() || !imagesDisk.isRefused(disk.get(), failure)) {
                throw failure;
            }
            return create(sandbox, name, image, mounts, facts, Optional.empty());
        }
    }

    private String create(
            ContainerSandbox sandbox,
            String name,
            String image,
            List<Mount> mounts,
            EngineFacts facts,
            Optional<Path> disk) {
        CreateContainerResponse response = engine.call("making the sandbox", client -> spec.applyTo(
                        client.createContainerCmd(image), sandbox.id(), sandbox.template(), facts, disk, mounts)
                .withName(name)
                .withLabels(labels.of(sandbox.id()))
                .exec());
        return response.getId();
    }

    private void awaitGreeting(GuestChannel channel) {
        try {
            channel.greeted().get(config.guestStartTimeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException silent) {
            throw new DriverException(
                    DriverException.Kind.GUEST_SILENT,
                    "The sandbox's guest did not greet within "
                            + config.guestStartTimeout().toMillis() + " ms; the machine may be overloaded.",
                    silent);
        } catch (ExecutionException ended) {
            throw new DriverException(
                    DriverException.Kind.GUEST_SILENT,
                    "The sandbox ended before its guest greeted. "
                            + String.valueOf(
                                    ended.getCause() == null
                                            ? ""
                                            : ended.getCause().getMessage()),
                    ended);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new DriverException(
                    DriverException.Kind.GUEST_SILENT, "The node was stopped while a sandbox started.", interrupted);
        }
    }

    private void undo(ContainerSandbox sandbox) {
        sandbox.disconnect();
        try {
            Optional<String> container = sandbox.container();
            if (container.isPresent()) {
                containerEnd.kill(container.get());
            } else {
                containerEnd.removeAll(sandbox.id());
            }
        } catch (DriverException failure) {
            LOG.warn("The remains of sandbox {} stay until the next sweep: {}", sandbox.id(), failure.getMessage());
        }
    }

    private void requireSupported(SandboxTemplate template) {
        boolean known = engine.facts().isolations(config.runtimes()).contains(template.isolation());
        // A runtime may have been added since, without a restart of the engine.
        if (!known && !engine.refreshFacts().isolations(config.runtimes()).contains(template.isolation())) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "Isolation " + template.isolation().name().toLowerCase(Locale.ROOT)
                            + " is not available: the node's container engine has no runtime for it.");
        }
    }

    private static boolean lacksGuest(DriverException failure) {
        String message = String.valueOf(failure.getMessage());
        return failure.kind() == DriverException.Kind.REFUSED && message.contains(GuestVolume.PROGRAM_PATH);
    }
}
