package dev.vivarium.node.driver;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Creates and destroys sandboxes. Every call returns without waiting; stages fail with a {@link DriverException} only.
 * All blocking work runs on a bounded dispatcher. Drivers create sandboxes without a network; networks are attached
 * separately.
 */
public interface SandboxDriver extends AutoCloseable {
    /** The capabilities, according to the engine's last answer. */
    Capabilities capabilities();

    /**
     * Creates a fresh sandbox whose guest is up and waiting, and opens the channel to it. The caller owns the sandbox
     * from this call until {@link #destroy}. When the stage fails, nothing is left behind; it fails with
     * ATTEMPT_CLAIMED when its attempt already has a sandbox.
     *
     * @param id chosen by the caller, so that it can destroy the sandbox even before the answer
     * @param listener receives the guest's frames and the channel's end
     */
    CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener);

    /**
     * The template with which a sandbox must have been created in order to be claimed for one with this template. Templates of
     * interchangeable sandboxes have the same one. Empty when a sandbox with this template is always made for its attempt. Pure.
     */
    default Optional<SandboxTemplate> waiting(SandboxTemplate wanted) {
        return Optional.of(wanted);
    }

    /**
     * Assigns a waiting sandbox to an attempt, and gives it the limits of the attempt's template, which it must suit:
     * {@link #waiting}. A second sandbox for the same attempt fails with ATTEMPT_CLAIMED, whichever node asks. Each sandbox is
     * claimed once. It fails with UNSUITED when the image's name means another image by now, or the limits cannot be set; then
     * the sandbox is of no use, and a new one may serve.
     */
    CompletionStage<Done> claim(SandboxId id, AttemptName attempt, SandboxTemplate template);

    /** Kills and removes the sandbox and waits until it is gone. Idempotent: an unknown sandbox counts as gone. */
    CompletionStage<Done> destroy(SandboxId id);

    /** Lists the selected sandboxes of this installation on this engine. */
    CompletionStage<List<ListedSandbox>> list(Selection selection);

    /**
     * Helps the guest to end the sandbox's processes, from outside. The guest kills them itself and reports when all are
     * gone, but it is one of the sandbox's processes and may get little CPU time. Spares the guest. Best effort: has no
     * effect on another machine's sandboxes, or without permission.
     */
    default CompletionStage<Done> hastenEnd(SandboxId id, Haste haste) {
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** The kernel memory of the sandboxes' machine; {@link KernelMemory#UNKNOWN} where it cannot be read. */
    default CompletionStage<KernelMemory> kernelMemory() {
        return CompletableFuture.completedStage(KernelMemory.UNKNOWN);
    }

    /**
     * The pages of the sandboxes' machine of which the kernel tells no use, less those in queues that are charged to sandboxes, in
     * bytes; zero where they are not known.
     */
    default CompletionStage<Long> kernelPages() {
        return CompletableFuture.completedStage(0L);
    }

    /**
     * What each sandbox has in the queues of its sockets of TCP and UDP; none where that cannot be read. Takes a look at each of
     * their tables, so it is for rare occasions.
     */
    default CompletionStage<Map<SandboxId, SocketUse>> sockets() {
        return CompletableFuture.completedStage(Map.of());
    }

    /**
     * The sandbox's resource use, measured from outside. Fails with SANDBOX_UNKNOWN when this driver did not create it.
     */
    CompletionStage<SandboxSample> sample(SandboxId id);

    /** Closes the driver's connections. Sandboxes are not destroyed, but their channels close. */
    @Override
    void close();
}
