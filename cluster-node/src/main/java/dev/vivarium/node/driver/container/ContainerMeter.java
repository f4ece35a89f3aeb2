package dev.vivarium.node.driver.container;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SocketUse;
import dev.vivarium.node.driver.linux.CgroupFiles;
import dev.vivarium.node.driver.linux.FileLocks;
import dev.vivarium.node.driver.linux.GroupProcesses;
import dev.vivarium.node.driver.linux.GroupWrites;
import dev.vivarium.node.driver.linux.KernelMemoryFiles;
import dev.vivarium.node.driver.linux.KernelSlab;
import dev.vivarium.node.driver.linux.QueueWatch;
import dev.vivarium.node.driver.linux.Sampler;
import dev.vivarium.node.driver.linux.SocketQueues;
import dev.vivarium.node.driver.linux.UncountedQueues;
import dev.vivarium.node.driver.linux.WritablePlaces;
import dev.vivarium.protocol.run.Limit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measures containers: by the kernel's files if they are on this machine. All its calls block. */
public final class ContainerMeter {
    private static final Logger LOG = LoggerFactory.getLogger(ContainerMeter.class);
    private static final Path PROC = Path.of("/proc");

    private final NodeClock clock;
    private final BiFunction<SandboxId, String, Sampler> elsewhere;
    private final FileLocks locks;
    private final KernelSlab slab;

    /** @param elsewhere measures a sandbox, by its id and its container's, whose control group is not visible here */
    public ContainerMeter(NodeClock clock, BiFunction<SandboxId, String, Sampler> elsewhere) {
        this.clock = clock;
        this.elsewhere = elsewhere;
        this.locks = new FileLocks(clock);
        this.slab = new KernelSlab(clock);
    }

    /** A sample, less the runtime's overhead. Fails with SANDBOX_UNKNOWN when the sandbox is gone. */
    public SandboxSample sample(ContainerSandbox sandbox, Sampler sampler) {
        try {
            OptionalLong before = storedBytes(sandbox);
            SandboxSample sample = sandbox.files() == SandboxSample.Files.ON_DISK
                    ? sampler.sample().onDisk()
                    : sampler.sample();
            return sandbox.upkeep()
                    .without(
                            sample.storing(larger(before, storedBytes(sandbox))).writing(writtenBytes(sandbox)))
                    .since(sandbox.birthCpuMillis())
                    .plusAnonymous(uncountedBytes(sandbox));
        } catch (IOException gone) {
            // Usually its sandbox is gone; if not, the next sample finds another way.
            sandbox.forget(sampler);
            throw ContainerSandbox.unknown(sandbox.id());
        }
    }

    private long writtenBytes(ContainerSandbox sandbox) {
        return sandbox.writes().map(writes -> writes.bytes(clock.nanos())).orElse(0L);
    }

    private static OptionalLong storedBytes(ContainerSandbox sandbox) {
        return sandbox.places().map(WritablePlaces::storedBytes).orElse(OptionalLong.empty());
    }

    /** Files that were written or deleted during a sample are not taken for memory. */
    private static OptionalLong larger(OptionalLong before, OptionalLong after) {
        return before.isPresent() && after.isPresent()
                ? OptionalLong.of(Math.max(before.getAsLong(), after.getAsLong()))
                : OptionalLong.empty();
    }

    /**
     * Kernel memory of the sandbox that no control group counts. Of a sandbox with its own kernel, all of
     * it is in that kernel's memory.
     */
    private long uncountedBytes(ContainerSandbox sandbox) {
        if (sandbox.template().isolation().hasOwnKernel()) {
            return 0;
        }
        return sandbox.queues().map(QueueWatch::bytes).orElse(0L)
                + sandbox.group().map(locks::bytes).orElse(0L);
    }

    /** Determines once how to measure the sandbox. */
    public Sampler sampler(ContainerSandbox sandbox) {
        return sandbox.sampler().orElseGet(() -> {
            String container = sandbox.container().orElseThrow(() -> ContainerSandbox.unknown(sandbox.id()));
            Sampler found = controlGroup(sandbox, container)
                    .map(Sampler.class::cast)
                    .orElseGet(() -> elsewhere.apply(sandbox.id(), container));
            sandbox.sampler(found);
            return found;
        });
    }

    /** Before an agent runs, since some of its use is only counted from then on. */
    public void begin(ContainerSandbox sandbox) {
        String container = sandbox.container().orElseThrow(() -> ContainerSandbox.unknown(sandbox.id()));
        sandbox.firstProcess()
                .flatMap(process -> GroupProcesses.of(PROC, process.pid(), container))
                .ifPresent(sandbox::group);
        sandbox.firstProcess()
                .map(process -> new UncountedQueues(PROC.resolve(process.pid() + "/net")))
                .ifPresent(queues -> sandbox.queues(new QueueWatch(queues, slab, clock)));
        if (!sandbox.template().isolation().hasOwnKernel()) {
            sandbox.firstProcess()
                    .map(process -> WritablePlaces.of(PROC.resolve(process.pid() + "/root"), sandbox.files()))
                    .ifPresent(sandbox::places);
        }
        born(sandbox);
    }

    /** The same for a sandbox that has waited since, and has got its limits now. */
    public void beginAgain(ContainerSandbox sandbox) {
        if (sandbox.sampler().orElse(null) instanceof CgroupFiles files) {
            files.begin(Limit.MEMORY.amountIn(sandbox.template().limits()));
        }
        born(sandbox);
    }

    private void born(ContainerSandbox sandbox) {
        watchWrites(sandbox);
        try {
            if (sampler(sandbox) instanceof CgroupFiles files) {
                sandbox.born(files.sample().cpuMillis());
            }
        } catch (DriverException | IOException failure) {
            // It has just greeted. If it is gone already, its channel reports that to the caller.
            LOG.debug("Sandbox {} cannot be measured yet: {}", sandbox.id(), failure.getMessage());
        }
    }

    /** What an agent in a sandbox with its own kernel writes cannot be seen from the machine. */
    private static void watchWrites(ContainerSandbox sandbox) {
        if (!sandbox.template().isolation().hasOwnKernel()) {
            Duration idle =
                    Duration.ofMillis(Limit.IDLE.amountIn(sandbox.template().limits()));
            sandbox.group()
                    .flatMap(group -> sandbox.firstProcess().map(guest -> new GroupWrites(group, guest.pid(), idle)))
                    .ifPresent(sandbox::writes);
        }
    }

    /** Empty when it is on another machine. */
    private Optional<CgroupFiles> controlGroup(ContainerSandbox sandbox, String container) {
        Optional<CgroupFiles> group =
                sandbox.firstProcess().flatMap(process -> CgroupFiles.of(PROC, process.pid(), container));
        group.ifPresent(
                files -> files.begin(Limit.MEMORY.amountIn(sandbox.template().limits())));
        return group;
    }

    /** Kernel memory that is charged to no sandbox, and the amounts charged to each. */
    public KernelMemory kernelMemory(Collection<ContainerSandbox> sandboxes) {
        Map<SandboxId, Long> charged = ofEach(sandboxes, (sandbox, group) -> group.kernelBytes());
        try {
            long all = new KernelMemoryFiles(PROC).bytes();
            return new KernelMemory(Math.max(0, all - sum(charged)), charged);
        } catch (IOException unreadable) {
            return KernelMemory.UNKNOWN;
        }
    }

    /** Pages of the machine of which the kernel tells no use, less those in queues of sockets that are charged to sandboxes. */
    public long kernelPages(Collection<ContainerSandbox> sandboxes) {
        try {
            long untold = new KernelMemoryFiles(PROC).untoldBytes();
            return Math.max(0, untold - sum(ofEach(sandboxes, (sandbox, group) -> group.socketBytes())));
        } catch (IOException unreadable) {
            return 0;
        }
    }

    /** What each sandbox has in the queues of its sockets. */
    public Map<SandboxId, SocketUse> sockets(Collection<ContainerSandbox> sandboxes) {
        return ofEach(sandboxes, (sandbox, group) -> new SocketUse(group.socketBytes(), heldBySockets(sandbox)));
    }

    private static long heldBySockets(ContainerSandbox sandbox) {
        return sandbox.firstProcess()
                .map(process -> SocketQueues.bytes(PROC.resolve(Long.toString(process.pid()))))
                .orElse(0L);
    }

    private static long sum(Map<SandboxId, Long> amounts) {
        return amounts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Something of each sandbox whose control group is on this machine. */
    private static <T> Map<SandboxId, T> ofEach(Collection<ContainerSandbox> sandboxes, GroupReading<T> reading) {
        Map<SandboxId, T> read = new HashMap<>();
        for (ContainerSandbox sandbox : sandboxes) {
            try {
                if (sandbox.sampler().orElse(null) instanceof CgroupFiles group) {
                    read.put(sandbox.id(), reading.of(sandbox, group));
                }
            } catch (IOException gone) {
                LOG.debug("Sandbox {} is not measured any more: {}", sandbox.id(), gone.toString());
            }
        }
        return read;
    }

    /** Reads something of a sandbox and its control group. */
    private interface GroupReading<T> {
        T of(ContainerSandbox sandbox, CgroupFiles group) throws IOException;
    }
}
