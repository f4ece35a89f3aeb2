package dev.vivarium.node.driver.container;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.Haste;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.guest.GuestChannel;
import dev.vivarium.node.driver.linux.GroupProcesses;
import dev.vivarium.node.driver.linux.GroupWrites;
import dev.vivarium.node.driver.linux.InitProcess;
import dev.vivarium.node.driver.linux.QueueWatch;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.node.driver.linux.Sampler;
import dev.vivarium.node.driver.linux.WritablePlaces;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A driver's state of a sandbox that it was asked to create, as a container. Thread-safe. */
public final class ContainerSandbox {
    private final SandboxId id;
    private SandboxTemplate template;
    private final CompletableFuture<SandboxHandle> created = new CompletableFuture<>();
    private Optional<String> container = Optional.empty();
    private Optional<String> image = Optional.empty();
    private Optional<GuestChannel> channel = Optional.empty();
    private Optional<InitProcess> firstProcess = Optional.empty();
    private Optional<GroupProcesses> processes = Optional.empty();
    private Optional<QueueWatch> queues = Optional.empty();
    private Optional<GroupWrites> writes = Optional.empty();
    private Optional<WritablePlaces> places = Optional.empty();
    private Optional<Sampler> sampler = Optional.empty();
    private SandboxSample.Files files = SandboxSample.Files.IN_MEMORY;
    private RuntimeOverhead upkeep = RuntimeOverhead.NONE;
    private long birthCpuMillis;
    private boolean doomed;
    private boolean claimed;

    public ContainerSandbox(SandboxId id, SandboxTemplate template) {
        this.id = id;
        this.template = template;
    }

    public SandboxId id() {
        return id;
    }

    public synchronized SandboxTemplate template() {
        return template;
    }

    /** Its limits are those of another template from now on. */
    public synchronized void serve(SandboxTemplate claimed) {
        template = claimed;
    }

    /** The engine's id of its image. */
    public synchronized void image(String id) {
        image = Optional.of(id);
    }

    /** Fails with UNSUITED when its image is not the one that its image's name means now. */
    public synchronized void requireImage(String current) {
        if (image.filter(current::equals).isEmpty()) {
            throw new DriverException(
                    DriverException.Kind.UNSUITED, "The name of the waiting sandbox's image means another image now.");
        }
    }

    /** Completes when the guest has greeted, or when a failed creation has been cleaned up. */
    public CompletableFuture<SandboxHandle> created() {
        return created;
    }

    /** Runs the action once {@link #created} is complete, successfully or not. */
    @SuppressWarnings("FutureReturnValueIgnored") // The action has its own result.
    public void afterCreation(Runnable action) {
        created.whenComplete((channel, failure) -> action.run());
    }

    public synchronized Optional<String> container() {
        return container;
    }

    /** Records the container; fails when the sandbox is already being destroyed. */
    public synchronized void contain(String containerId) {
        container = Optional.of(containerId);
        requireWanted();
    }

    public synchronized void connect(GuestChannel opened) {
        channel = Optional.of(opened);
        requireWanted();
    }

    public synchronized void requireWanted() {
        if (doomed) {
            throw new DriverException(
                    DriverException.Kind.SANDBOX_UNKNOWN, "The sandbox was destroyed before it was complete.");
        }
    }

    /** Ends its channel, and its creation as soon as that notices; it is no longer measured. */
    public void doom() {
        synchronized (this) {
            doomed = true;
            sampler.ifPresent(Sampler::close);
        }
        disconnect();
    }

    /** Ends only its channel. */
    public void disconnect() {
        Optional<GuestChannel> open;
        synchronized (this) {
            open = channel;
        }
        open.ifPresent(GuestChannel::close);
    }

    /** Its files are on a disk of its own. */
    public synchronized void storesOnDisk() {
        files = SandboxSample.Files.ON_DISK;
    }

    public synchronized SandboxSample.Files files() {
        return files;
    }

    public synchronized void runsAs(InitProcess first) {
        firstProcess = Optional.of(first);
    }

    /** Empty before it runs, or when it is on another machine. */
    public synchronized Optional<InitProcess> firstProcess() {
        return firstProcess;
    }

    public synchronized void queues(QueueWatch watch) {
        queues = Optional.of(watch);
    }

    /** Where it stores its files; empty where that cannot be seen from outside. */
    synchronized Optional<WritablePlaces> places() {
        return places;
    }

    synchronized void places(WritablePlaces seen) {
        places = Optional.of(seen);
    }

    /** What its agent writes; empty where that cannot be seen from outside. */
    synchronized Optional<GroupWrites> writes() {
        return writes;
    }

    synchronized void writes(GroupWrites seen) {
        writes = Optional.of(seen);
    }

    /** Empty on another machine. */
    public synchronized Optional<QueueWatch> queues() {
        return queues;
    }

    public synchronized void group(GroupProcesses found) {
        processes = Optional.of(found);
    }

    /** Empty where its control group cannot be seen. */
    public synchronized Optional<GroupProcesses> group() {
        return processes;
    }

    /** Kills all its processes, if this machine's kernel runs them, after lifting their CPU quota. */
    public boolean kill() {
        group().ifPresent(GroupProcesses::unthrottle);
        return firstProcess().filter(InitProcess::kill).isPresent();
    }

    /**
     * In a control group of a sandbox with its own kernel, there are host processes that are not the agent's: there
     * only the guest kills.
     */
    public void hastenEnd(Haste haste) {
        group().ifPresent(group -> {
            group.unthrottle();
            if (haste == Haste.KILL && !template().isolation().hasOwnKernel()) {
                firstProcess().map(InitProcess::pid).ifPresent(group::killAllBut);
            }
        });
    }

    /** Takes the sandbox's only claim. */
    public synchronized void claim() {
        requireWanted();
        if (claimed) {
            throw new DriverException(DriverException.Kind.REFUSED, "The sandbox already serves an attempt.");
        }
        claimed = true;
    }

    public synchronized void unclaim() {
        claimed = false;
    }

    public synchronized Optional<Sampler> sampler() {
        return sampler;
    }

    /** The overhead of its kernel; known from its creation, so that measuring needs no further query. */
    public synchronized RuntimeOverhead upkeep() {
        return upkeep;
    }

    public synchronized void upkeep(RuntimeOverhead itsKernels) {
        upkeep = itsKernels;
    }

    /** Processor time that creating the sandbox took, which is not the agent's. */
    public synchronized long birthCpuMillis() {
        return birthCpuMillis;
    }

    public synchronized void born(long cpuMillis) {
        birthCpuMillis = cpuMillis;
    }

    public synchronized void sampler(Sampler found) {
        sampler = Optional.of(found);
        if (doomed) {
            found.close();
        }
    }

    /** Discards a failing sampler, so that the next sample finds another way. */
    public synchronized void forget(Sampler failing) {
        failing.close();
        if (sampler.filter(known -> known == failing).isPresent()) {
            sampler = Optional.empty();
        }
    }

    /** The failure of a call for a sandbox that is not there. */
    public static DriverException unknown(SandboxId id) {
        return new DriverException(DriverException.Kind.SANDBOX_UNKNOWN, "There is no sandbox " + id + ".");
    }
}
