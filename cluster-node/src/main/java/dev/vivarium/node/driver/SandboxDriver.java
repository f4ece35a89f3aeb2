package dev.vivarium.node.driver;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Makes and destroys sandboxes. Every call returns without waiting; stages fail with a {@link DriverException} only. All
 * blocking work runs on the driver's own bounded dispatcher. What a sandbox reaches is not the driver's business: it makes
 * sandboxes without a network.
 */
public interface SandboxDriver extends AutoCloseable {
    /** What this driver can give, as the engine said when it last answered. */
    Capabilities capabilities();

    /**
     * Makes a fresh sandbox whose guest is up and waits, and opens the channel to it. From the moment of the call until
     * {@link #destroy} the caller owns the sandbox. When the stage fails, nothing is left behind; it fails with
     * ATTEMPT_CLAIMED when the attempt that it is for has another sandbox.
     *
     * @param id chosen by the caller, so that it can destroy what it asked for even before the answer
     * @param listener hears every frame of the guest and the channel's end, one at a time and in order
     */
    CompletionStage<SandboxHandle> create(
            SandboxId id, SandboxTemplate template, Purpose purpose, ChannelListener listener);

    /**
     * Marks a waiting sandbox as the one of an attempt. A second sandbox for the same attempt is refused with
     * ATTEMPT_CLAIMED, whichever node asks. Each sandbox is claimed once.
     */
    CompletionStage<Done> claim(SandboxId id, AttemptName attempt);

    /** Kills and removes the sandbox and waits until it is gone. Idempotent: an unknown sandbox is gone. */
    CompletionStage<Done> destroy(SandboxId id);

    /** The sandboxes of this installation on this engine that are selected. */
    CompletionStage<List<ListedSandbox>> list(Selection selection);

    /** What the sandbox uses, measured from outside. Fails with SANDBOX_UNKNOWN when this driver has not made it. */
    CompletionStage<SandboxSample> sample(SandboxId id);

    /** Ends the driver's connections. Sandboxes are not destroyed by it, but their channels close. */
    @Override
    void close();
}
