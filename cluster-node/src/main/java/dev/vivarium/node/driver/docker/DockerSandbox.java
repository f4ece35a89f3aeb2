package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.guest.GuestChannel;
import dev.vivarium.node.driver.linux.InitProcess;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.node.driver.linux.Sampler;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What the driver knows of a sandbox that it was asked to make. Safe for use by any thread. */
final class DockerSandbox {
    private final SandboxId id;
    private final SandboxTemplate template;
    private final CompletableFuture<SandboxHandle> created = new CompletableFuture<>();
    private Optional<String> container = Optional.empty();
    private Optional<GuestChannel> channel = Optional.empty();
    private Optional<InitProcess> firstProcess = Optional.empty();
    private Optional<Sampler> sampler = Optional.empty();
    private RuntimeOverhead upkeep = RuntimeOverhead.NONE;
    private long birthCpuMillis;
    private boolean doomed;
    private boolean claimed;

    DockerSandbox(SandboxId id, SandboxTemplate template) {
        this.id = id;
        this.template = template;
    }

    SandboxId id() {
        return id;
    }

    SandboxTemplate template() {
        return template;
    }

    /** Completes when the guest has greeted, or nothing is left of the attempt to make the sandbox. */
    CompletableFuture<SandboxHandle> created() {
        return created;
    }

    /** Runs the action once {@link #created} is complete, well or not. */
    @SuppressWarnings("FutureReturnValueIgnored") // What the action itself does has an outcome of its own.
    void afterCreation(Runnable action) {
        created.whenComplete((channel, failure) -> action.run());
    }

    synchronized Optional<String> container() {
        return container;
    }

    /** Takes note of the container, and fails when the sandbox is to be destroyed already. */
    synchronized void contain(String containerId) {
        container = Optional.of(containerId);
        requireWanted();
    }

    synchronized void connect(GuestChannel opened) {
        channel = Optional.of(opened);
        requireWanted();
    }

    synchronized void requireWanted() {
        if (doomed) {
            throw new DriverException(
                    DriverException.Kind.SANDBOX_UNKNOWN, "The sandbox was destroyed before it was complete.");
        }
    }

    /** Ends its channel, and whatever is still being done to make it as soon as that notices; it is not measured any more. */
    void doom() {
        synchronized (this) {
            doomed = true;
            sampler.ifPresent(Sampler::close);
        }
        disconnect();
    }

    /** Ends its channel only. */
    void disconnect() {
        Optional<GuestChannel> open;
        synchronized (this) {
            open = channel;
        }
        open.ifPresent(GuestChannel::close);
    }

    synchronized void runsAs(InitProcess first) {
        firstProcess = Optional.of(first);
    }

    /** Empty when it does not run yet, or on another machine. */
    synchronized Optional<InitProcess> firstProcess() {
        return firstProcess;
    }

    /** Kills all that is in it, if this machine's kernel can be asked to. */
    boolean kill() {
        return firstProcess().filter(InitProcess::kill).isPresent();
    }

    /** Takes the one claim that a sandbox has. */
    synchronized void claim() {
        requireWanted();
        if (claimed) {
            throw new DriverException(DriverException.Kind.REFUSED, "The sandbox already serves an attempt.");
        }
        claimed = true;
    }

    synchronized void unclaim() {
        claimed = false;
    }

    synchronized Optional<Sampler> sampler() {
        return sampler;
    }

    /** What of its use is its kernel's; known once it is being made, so that nobody need be asked when it is measured. */
    synchronized RuntimeOverhead upkeep() {
        return upkeep;
    }

    synchronized void upkeep(RuntimeOverhead itsKernels) {
        upkeep = itsKernels;
    }

    /** Processor time that making the sandbox took, which its agent has not used. */
    synchronized long birthCpuMillis() {
        return birthCpuMillis;
    }

    synchronized void born(long cpuMillis) {
        birthCpuMillis = cpuMillis;
    }

    synchronized void sampler(Sampler found) {
        sampler = Optional.of(found);
        if (doomed) {
            found.close();
        }
    }

    /** Has the way to measure it looked for anew, since this one fails. */
    synchronized void forget(Sampler failing) {
        failing.close();
        if (sampler.filter(known -> known == failing).isPresent()) {
            sampler = Optional.empty();
        }
    }
}
