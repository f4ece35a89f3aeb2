package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sandboxes of a node: what its driver makes, and the network beside each. The one place where both come together, so
 * that no sandbox is handed over before its policy stands, and none goes without its network's going too. Calls of the
 * network block, so they run on a bounded dispatcher. Stages fail with a {@link DriverException} only.
 */
public final class NodeSandboxes {
    private static final Logger LOG = LoggerFactory.getLogger(NodeSandboxes.class);

    private final SandboxDriver driver;
    private final SandboxNetwork network;
    private final Bulkhead calls;
    /** Those that have, or may have, a network: for the others no thread need be asked. */
    private final Set<SandboxId> networked = ConcurrentHashMap.newKeySet();

    /**
     * @param egress the block {@code vivarium.egress}, which limits the calls of the network
     * @param blocking has {@link #blockingCallsMax} threads for them
     */
    public NodeSandboxes(SandboxDriver driver, SandboxNetwork network, Config egress, Executor blocking) {
        this.driver = driver;
        this.network = network;
        this.calls = new Bulkhead(
                blocking,
                blockingCallsMax(egress),
                egress.getInt("waiting-calls-max"),
                "The network of sandboxes",
                NodeSandboxes::translate);
    }

    /** How many blocking calls are made at once, each of which needs a thread. */
    public static int blockingCallsMax(Config egress) {
        return egress.getInt("concurrent-calls-max");
    }

    private static DriverException translate(String doing, Exception failure) {
        return failure instanceof DriverException already
                ? already
                : new DriverException(
                        DriverException.Kind.REFUSED,
                        "It failed while " + doing + ": " + failure.getMessage(),
                        failure);
    }

    /** The isolation classes that sandboxes can have here. */
    public Set<Isolation> isolations() {
        return driver.capabilities().isolations();
    }

    /** The egress modes that sandboxes can have here: none other than NONE where their processes are elsewhere. */
    public Set<EgressPolicy.Mode> egressModes() {
        return driver.capabilities().processes() == Processes.ON_THIS_MACHINE
                ? network.modes()
                : Set.of(EgressPolicy.Mode.NONE);
    }

    /** The address at which programs in a sandbox with this policy ask for names. */
    Optional<String> resolver(EgressPolicy policy) {
        return policy.mode() == EgressPolicy.Mode.NONE ? Optional.empty() : network.resolver();
    }

    /**
     * Makes a sandbox and gives it its network while only its guest runs in it, so that no packet of an agent can be
     * earlier than its policy. When the stage fails, nothing is left behind.
     */
    public CompletionStage<SandboxHandle> make(
            SandboxId id, SandboxTemplate template, Purpose purpose, NetworkAccess access, ChannelListener listener) {
        Optional<String> refusal = network.refusal(access.policy().mode());
        if (refusal.isPresent()) {
            return CompletableFuture.failedStage(new DriverException(DriverException.Kind.REFUSED, refusal.get()));
        }
        CompletionStage<SandboxHandle> made = driver.create(id, template, purpose, listener);
        return access.policy().mode() == EgressPolicy.Mode.NONE
                ? made
                : made.thenCompose(handle -> attach(handle, access));
    }

    private CompletionStage<SandboxHandle> attach(SandboxHandle handle, NetworkAccess access) {
        CompletableFuture<SandboxHandle> attached = new CompletableFuture<>();
        networked.add(handle.id());
        calls.run(
                "giving the sandbox its network",
                () -> {
                    network.attach(handle, access);
                    return handle.with(network.environment(access.policy()));
                },
                attached::complete,
                failure -> undo(handle.id(), () -> attached.completeExceptionally(failure)));
        return attached;
    }

    private void undo(SandboxId id, Runnable then) {
        destroy(id).whenComplete((gone, alsoFailed) -> {
            if (alsoFailed != null) {
                LOG.warn("Sandbox {}, which has no network, stays until the next sweep.", id, alsoFailed);
            }
            then.run();
        });
    }

    /**
     * Gives the sandbox's network the secrets that it adds to the sandbox's requests, by their names: the sandbox itself
     * never has them. To be called before the agent is started; they are forgotten when the sandbox is destroyed.
     */
    public void entrust(SandboxId id, Map<String, String> secrets) {
        network.entrust(id, secrets);
    }

    /** What the sandbox uses, and what it had done with its network when that was counted last. */
    public CompletionStage<SandboxUse> use(SandboxId id) {
        return driver.sample(id).thenApply(sample -> new SandboxUse(sample, network.use(id)));
    }

    /** The same, with its network counted for it: when the agent has ended, nothing is missing. */
    public CompletionStage<SandboxUse> useToTheEnd(SandboxId id) {
        CompletionStage<EgressUse> counted = networked.contains(id)
                ? calls.run("counting what the sandbox did with its network", () -> network.useNow(id))
                : CompletableFuture.completedStage(EgressUse.NOTHING);
        return driver.sample(id).thenCombine(counted, SandboxUse::new);
    }

    /** Destroys the sandbox and its network, and waits until they are gone. Idempotent. */
    public CompletionStage<Done> destroy(SandboxId id) {
        return driver.destroy(id).thenCompose(gone -> networked.contains(id) ? detach(id) : done(gone));
    }

    private CompletionStage<Done> detach(SandboxId id) {
        return calls.run("taking the sandbox's network away", () -> {
            network.detach(id);
            networked.remove(id);
            return Done.getInstance();
        });
    }

    private static CompletionStage<Done> done(Done gone) {
        return CompletableFuture.completedStage(gone);
    }

    /** Destroys them all, side by side. The stage completes with how many there were. */
    public CompletionStage<Integer> destroy(Collection<SandboxId> ids) {
        List<CompletableFuture<Done>> ends = ids.stream()
                .map((SandboxId id) -> destroy(id).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).thenApply(done -> ends.size());
    }

    /**
     * Destroys what the engine has of earlier attempts of the run, whichever node made it, and waits until it is gone. The
     * stage completes with how many there were.
     */
    public CompletionStage<Integer> destroyBefore(AttemptName attempt) {
        return driver.list(new Selection.EarlierThan(attempt))
                .thenCompose(
                        found -> destroy(found.stream().map(ListedSandbox::id).toList()));
    }

    /** All sandboxes of the installation that the engine has, whichever node made them. */
    public CompletionStage<List<ListedSandbox>> list() {
        return driver.list(new Selection.All());
    }
}
