package dev.vivarium.node.driver;

import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * Makes and destroys sandboxes. Every call returns at once; stages fail with a {@link DriverException} only. All
 * blocking work runs on the driver's own bounded dispatcher.
 */
public interface SandboxDriver extends AutoCloseable {
    /** The isolation classes that this driver can give on this machine, as the engine said when it last answered. */
    Set<Isolation> isolations();

    /** The egress modes that sandboxes can have on this machine. */
    Set<EgressPolicy.Mode> egressModes();

    /**
     * Makes a fresh sandbox whose guest is up and waits, and opens the channel to it. From the moment of the call until
     * {@link #destroy} the caller owns the sandbox. When the stage fails, nothing is left behind.
     *
     * @param id chosen by the caller, so that it can destroy what it asked for even before the answer
     * @param listener hears every frame of the guest and the channel's end, one at a time and in order
     */
    CompletionStage<WaitingSandbox> create(SandboxId id, SandboxTemplate template, ChannelListener listener);

    /**
     * As {@link #create} and {@link #claim} in one, for an attempt that waits already: the sandbox belongs to the attempt
     * from its first moment, and the engine is asked once less. The stage fails with ATTEMPT_CLAIMED when the attempt
     * has another sandbox.
     */
    CompletionStage<WaitingSandbox> createFor(
            AttemptName attempt, SandboxId id, SandboxTemplate template, ChannelListener listener);

    /**
     * Marks a waiting sandbox as the one of an attempt. The engine itself refuses a second sandbox for the same
     * attempt, whoever asks. Each sandbox is claimed once.
     */
    CompletionStage<Done> claim(SandboxId id, AttemptName attempt);

    /**
     * Gives the sandbox's network the secrets that it adds to the sandbox's requests, by their names: the sandbox itself
     * never has them. To be called before the agent is started; they are forgotten when the sandbox is destroyed.
     */
    void entrust(SandboxId id, Map<String, String> secrets);

    /** Kills and removes the sandbox and waits until it is gone. Idempotent: an unknown sandbox is gone. */
    CompletionStage<Done> destroy(SandboxId id);

    /** All sandboxes of this installation on this engine that this node made, whether it still knows of them or not. */
    CompletionStage<List<SandboxId>> listOwned();

    /** All sandboxes of this installation on this engine that other nodes made, each with the name of its node. */
    CompletionStage<Map<SandboxId, String>> listOfOthers();

    /**
     * Destroys what this engine has of earlier attempts of the run, whichever node made it, and waits until it is gone.
     *
     * @return how many there were
     */
    CompletionStage<Integer> destroyBefore(AttemptName attempt);

    /** What the sandbox uses, measured from outside. */
    CompletionStage<SandboxSample> sample(SandboxId id);

    /** What the sandbox did with its network, counted anew: when it has ended, nothing of it is missing. */
    CompletionStage<EgressUse> egress(SandboxId id);

    /** Ends the driver's connections. Sandboxes are not destroyed by it, but their channels close. */
    @Override
    void close();
}
