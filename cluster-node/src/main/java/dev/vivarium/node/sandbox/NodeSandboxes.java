package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.Haste;
import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.driver.SocketUse;
import dev.vivarium.node.kernel.OpenFileTable;
import dev.vivarium.node.kernel.SocketMemory;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.node.pool.PoolKind;
import dev.vivarium.node.pool.WaitingSandbox;
import dev.vivarium.node.pool.WarmPool;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's sandboxes: the driver's, each with its network. Only here do the two come together, so that no sandbox is
 * handed over before its egress policy is in force, and none is destroyed without its network. Network calls block, so
 * they run on a bounded dispatcher. Stages fail with a {@link DriverException} only.
 */
public final class NodeSandboxes {
    private static final Logger LOG = LoggerFactory.getLogger(NodeSandboxes.class);
    private static final Path PROC = Path.of("/proc");

    private final SandboxDriver driver;
    private final WarmPool pool;
    private final SandboxNetwork network;
    private final Bulkhead calls;
    private final Executor blocking;
    /** Sandboxes that have, or may have, a network; for others no thread is needed. */
    private final Set<SandboxId> networked = ConcurrentHashMap.newKeySet();

    /**
     * @param egress the block {@code vivarium.egress}, which limits concurrent network calls
     * @param blocking executor of those calls, with {@link #blockingCallsMax} threads
     */
    public NodeSandboxes(SandboxDriver driver, SandboxNetwork network, Config egress, Executor blocking) {
        this.driver = driver;
        this.pool = new WarmPool(driver, new WarmPool.Sandboxes() {
            @Override
            public CompletionStage<SandboxHandle> make(SandboxId id, PoolKind kind, ChannelListener listener) {
                return makeToWait(id, kind, listener);
            }

            @Override
            public CompletionStage<Done> destroy(SandboxId id) {
                return NodeSandboxes.this.destroy(id);
            }
        });
        this.network = network;
        this.blocking = blocking;
        this.calls = new Bulkhead(
                blocking,
                blockingCallsMax(egress),
                egress.getInt("waiting-calls-max"),
                "The network of sandboxes",
                NodeSandboxes::translate);
    }

    /** The number of concurrent blocking calls; each needs a thread. */
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

    /** The isolation classes that this node's sandboxes can have. */
    public Set<Isolation> isolations() {
        return driver.capabilities().isolations();
    }

    /** The egress modes that this node's sandboxes can have: only NONE if their processes are on another machine. */
    public Set<EgressPolicy.Mode> egressModes() {
        return driver.capabilities().processes() == Processes.ON_THIS_MACHINE
                ? network.modes()
                : Set.of(EgressPolicy.Mode.NONE);
    }

    /** Why this node's sandboxes cannot have a mode, as a sentence that says what to do; empty when they can. */
    public Optional<String> egressRefusal(EgressPolicy.Mode mode) {
        boolean isElsewhere = driver.capabilities().processes() != Processes.ON_THIS_MACHINE;
        return isElsewhere && mode != EgressPolicy.Mode.NONE
                ? Optional.of("The sandboxes of this node run on another machine, whose network it does not hold.")
                : network.refusal(mode);
    }

    /** The DNS resolver's address for a sandbox with this policy. */
    Optional<String> resolver(EgressPolicy policy) {
        return policy.mode() == EgressPolicy.Mode.NONE ? Optional.empty() : network.resolver();
    }

    /**
     * Creates a sandbox and attaches its network while only the guest runs in it, so that the policy is in force before
     * the agent's first packet. When the stage fails, nothing is left behind.
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

    private CompletionStage<SandboxHandle> makeToWait(SandboxId id, PoolKind kind, ChannelListener listener) {
        CompletionStage<SandboxHandle> made = driver.create(id, kind.template(), new Purpose.ToWait(), listener);
        return kind.link() == PoolKind.Link.NONE
                ? made
                : made.thenCompose(handle -> onNetwork(handle, "giving the sandbox its link", () -> {
                    network.prepare(handle);
                    return handle;
                }));
    }

    /** A sandbox that waited for a run with this template and policy, if there is one. */
    Optional<WaitingSandbox> take(SandboxTemplate template, EgressPolicy policy) {
        return pool.take(template, link(policy));
    }

    /** Most runs have this mode, which is the default; the link of another one would be of no use to them. */
    private PoolKind.Link link(EgressPolicy policy) {
        return policy.mode() == EgressPolicy.Mode.PUBLIC && egressModes().contains(EgressPolicy.Mode.PUBLIC)
                ? PoolKind.Link.READY
                : PoolKind.Link.NONE;
    }

    /**
     * Claims a sandbox that waited, gives it the template's limits, and attaches its network. When the stage fails, nothing is left
     * behind; it fails with UNSUITED when a new sandbox may serve instead.
     */
    CompletionStage<SandboxHandle> claim(
            WaitingSandbox waiting,
            SandboxTemplate template,
            AttemptName attempt,
            NetworkAccess access,
            ChannelListener listener) {
        Optional<String> refusal = network.refusal(access.policy().mode());
        CompletionStage<SandboxHandle> claimed = refusal.isPresent()
                ? CompletableFuture.failedStage(new DriverException(DriverException.Kind.REFUSED, refusal.get()))
                : driver.claim(waiting.id(), attempt, template).thenApply(done -> waiting.serve(listener)
                        .orElseThrow(() -> new DriverException(
                                DriverException.Kind.UNSUITED, "The sandbox ended while it waited.")));
        CompletionStage<SandboxHandle> complete = access.policy().mode() == EgressPolicy.Mode.NONE
                ? claimed
                : claimed.thenCompose(handle -> attach(handle, access));
        return complete.exceptionallyCompose(failure -> {
            if (isUnsuited(failure)) {
                pool.distrust(template, link(access.policy()));
            }
            return giveBack(waiting, failure);
        });
    }

    /** Destroys a sandbox that waited and was taken in vain, and fails with the reason. */
    <T> CompletionStage<T> giveBack(WaitingSandbox taken, Throwable why) {
        CompletableFuture<T> failed = new CompletableFuture<>();
        undo(taken.id(), () -> failed.completeExceptionally(why));
        return failed;
    }

    /** Whether a new sandbox may serve where one that waited could not. */
    static boolean isUnsuited(Throwable failure) {
        return StageFailure.cause(failure) instanceof DriverException refusal
                && (refusal.kind() == DriverException.Kind.UNSUITED
                        || refusal.kind() == DriverException.Kind.SANDBOX_UNKNOWN);
    }

    /** The sandboxes that wait for a run. */
    public WarmPool pool() {
        return pool;
    }

    private CompletionStage<SandboxHandle> attach(SandboxHandle handle, NetworkAccess access) {
        return onNetwork(handle, "giving the sandbox its network", () -> handle.with(network.attach(handle, access)));
    }

    private CompletionStage<SandboxHandle> onNetwork(SandboxHandle handle, String doing, Supplier<SandboxHandle> call) {
        CompletableFuture<SandboxHandle> done = new CompletableFuture<>();
        networked.add(handle.id());
        calls.run(doing, call, done::complete, failure -> undo(handle.id(), () -> done.completeExceptionally(failure)));
        return done;
    }

    private void undo(SandboxId id, Runnable then) {
        destroy(id).whenComplete((gone, alsoFailed) -> {
            if (alsoFailed != null) {
                LOG.warn("Sandbox {}, which is of no use, stays until the next sweep.", id, alsoFailed);
            }
            then.run();
        });
    }

    /**
     * Gives the sandbox's network the secrets to add to requests, by name; the sandbox itself never has them. Call
     * before the agent starts; they are forgotten when the sandbox is destroyed.
     */
    public void entrust(SandboxId id, Map<String, String> secrets) {
        network.entrust(id, secrets);
    }

    /** The sandbox's resource use, and its network use as last counted. */
    public CompletionStage<SandboxUse> use(SandboxId id) {
        return driver.sample(id).thenApply(sample -> new SandboxUse(sample, network.use(id)));
    }

    /** The same, with its network use counted now: complete once the agent has ended. */
    public CompletionStage<SandboxUse> useToTheEnd(SandboxId id) {
        CompletionStage<EgressUse> counted = networked.contains(id)
                ? calls.run("counting what the sandbox did with its network", () -> network.useNow(id))
                : CompletableFuture.completedStage(EgressUse.NOTHING);
        return driver.sample(id).thenCombine(counted, SandboxUse::new);
    }

    /** Helps the guest to end the sandbox's processes. Best effort. */
    @SuppressWarnings("FutureReturnValueIgnored") // The guest does the same, and reports when it is done.
    void hastenEnd(SandboxId id, Haste haste) {
        driver.hastenEnd(id, haste).whenComplete((done, failure) -> {
            if (failure != null) {
                LOG.debug("A sandbox is left to its guest: {}", failure.toString());
            }
        });
    }

    /** The kernel memory of the sandboxes' machine. */
    CompletionStage<KernelMemory> kernelMemory() {
        return driver.kernelMemory();
    }

    /** Pages of the sandboxes' machine of which the kernel tells no use. */
    CompletionStage<Long> kernelPages() {
        return driver.kernelPages();
    }

    /** What each sandbox has in the queues of its sockets of TCP and UDP. */
    CompletionStage<Map<SandboxId, SocketUse>> sockets() {
        return driver.sockets();
    }

    /** The open files of the sandboxes' machine; empty where it is another one, or they cannot be read. */
    CompletionStage<Optional<OpenFileTable>> openFiles() {
        return ofThisMachine(OpenFileTable::of);
    }

    /** The memory of all sockets of the sandboxes' machine; empty where it is another one, or it cannot be read. */
    CompletionStage<Optional<SocketMemory>> socketMemory() {
        return ofThisMachine(SocketMemory::of);
    }

    private <T> CompletionStage<Optional<T>> ofThisMachine(Function<Path, Optional<T>> read) {
        return driver.capabilities().processes() == Processes.ON_THIS_MACHINE
                ? CompletableFuture.supplyAsync(() -> read.apply(PROC), blocking)
                : CompletableFuture.completedStage(Optional.empty());
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

    /** Destroys all of them concurrently. Completes with their number. */
    public CompletionStage<Integer> destroy(Collection<SandboxId> ids) {
        List<CompletableFuture<Done>> ends = ids.stream()
                .map((SandboxId id) -> destroy(id).toCompletableFuture())
                .toList();
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).thenApply(done -> ends.size());
    }

    /**
     * Destroys the engine's sandboxes of earlier attempts of the run, of any node, and waits until they are gone.
     * Completes with their number.
     */
    public CompletionStage<Integer> destroyBefore(AttemptName attempt) {
        return driver.list(new Selection.EarlierThan(attempt))
                .thenCompose(
                        found -> destroy(found.stream().map(ListedSandbox::id).toList()));
    }

    /** All sandboxes of the installation on this engine, of any node. */
    public CompletionStage<List<ListedSandbox>> list() {
        return driver.list(new Selection.All());
    }
}
