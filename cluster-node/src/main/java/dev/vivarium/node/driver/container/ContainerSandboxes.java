package dev.vivarium.node.driver.container;

import dev.vivarium.node.driver.Bulkhead;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.apache.pekko.Done;

/**
 * The sandboxes that a driver was asked to create and has not removed, and the order in which both happen. Thread-safe.
 */
public final class ContainerSandboxes {
    private final ContainerMeter meter;
    private final Bulkhead creates;
    private final Bulkhead calls;
    private final ConcurrentMap<SandboxId, ContainerSandbox> sandboxes = new ConcurrentHashMap<>();

    /** Removes what is left of a sandbox whose processes were killed, or could not be. Blocks. */
    @FunctionalInterface
    public interface Removal {
        void remove(ContainerSandbox sandbox, boolean killed);
    }

    /**
     * @param creates for creations
     * @param calls for removals
     */
    public ContainerSandboxes(ContainerMeter meter, Bulkhead creates, Bulkhead calls) {
        this.meter = meter;
        this.creates = creates;
        this.calls = calls;
    }

    /** Creates a sandbox, by blocking work that undoes itself when it fails; refused where its id is in use. */
    public CompletionStage<SandboxHandle> create(ContainerSandbox sandbox, Supplier<SandboxHandle> making) {
        SandboxId id = sandbox.id();
        if (sandboxes.putIfAbsent(id, sandbox) != null) {
            return CompletableFuture.failedFuture(
                    new DriverException(DriverException.Kind.REFUSED, "There is a sandbox " + id + " already."));
        }
        creates.run(
                "making the sandbox",
                () -> {
                    SandboxHandle made = making.get();
                    meter.begin(sandbox);
                    return made;
                },
                sandbox.created()::complete,
                failure -> {
                    sandboxes.remove(id, sandbox);
                    sandbox.created().completeExceptionally(failure);
                });
        return sandbox.created();
    }

    /**
     * Destroys a sandbox, once its creation has ended.
     *
     * @param stranger removes everything with the id if this driver has not created the sandbox
     */
    public CompletionStage<Done> destroy(SandboxId id, Runnable stranger, Removal removal) {
        CompletableFuture<Done> gone = new CompletableFuture<>();
        ContainerSandbox known = sandboxes.get(id);
        if (known == null) {
            remove(gone, stranger);
            return gone;
        }
        known.doom();
        // A sandbox still being created cleans up by itself once it notices, and must not be overtaken.
        known.afterCreation(() -> {
            boolean killed = known.kill();
            remove(gone, () -> {
                removal.remove(known, killed);
                sandboxes.remove(id, known);
            });
        });
        return gone;
    }

    private void remove(CompletableFuture<Done> gone, Runnable removal) {
        calls.run(
                "destroying the sandbox",
                () -> {
                    removal.run();
                    return Done.getInstance();
                },
                gone::complete,
                gone::completeExceptionally);
    }

    /** Ends the channels of all. */
    public void disconnect() {
        sandboxes.values().forEach(ContainerSandbox::disconnect);
    }

    public Optional<ContainerSandbox> find(SandboxId id) {
        return Optional.ofNullable(sandboxes.get(id));
    }

    /**
     * The sandbox.
     *
     * @throws DriverException SANDBOX_UNKNOWN when it was not created here, or is gone
     */
    public ContainerSandbox known(SandboxId id) {
        return find(id).orElseThrow(() -> ContainerSandbox.unknown(id));
    }

    public Collection<ContainerSandbox> all() {
        return sandboxes.values();
    }
}
