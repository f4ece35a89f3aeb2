package dev.vivarium.node.retention;

import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.acts.Requester;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Deletes what is kept of runs, and contents, for those who ask for it before its time is over. A deletion is on record
 * before it is carried out, unless there is nothing to delete. Thread-safe.
 */
public final class Deletions {
    private final KeptData data;
    private final HoldStore holds;
    private final Set<Tenant> held;
    private final Acts acts;
    private final Executor blocking;

    /** What became of a request. */
    public enum Answer {
        /** What was named is not there any more, or never was. */
        GONE,
        /** The tenant is under a legal hold. */
        HELD,
        /** A run has the content. */
        IN_USE
    }

    /**
     * @param held the tenants that the configuration holds
     * @param blocking runs calls of the store that block
     */
    public Deletions(KeptData data, HoldStore holds, Set<Tenant> held, Acts acts, Executor blocking) {
        this.data = data;
        this.holds = holds;
        this.held = Set.copyOf(held);
        this.acts = acts;
        this.blocking = blocking;
    }

    /** Deletes data of a run that has ended. */
    public CompletionStage<Answer> delete(Kind kind, RunState.Finished over, Requester by) {
        RunId run = over.submission().id();
        Tenant tenant = over.submission().spec().tenant();
        return now(() -> data.has(kind, run))
                .thenCompose(isThere -> isThere ? delete(kind, tenant, run, by) : done(Answer.GONE));
    }

    private CompletionStage<Answer> delete(Kind kind, Tenant tenant, RunId run, Requester by) {
        return unlessHeld(tenant, () -> acts.record((at, node) -> new Act.RunDataDeleted(
                        at, node, by.principal(), by.origin(), tenant, run, Retention.data(kind)))
                // The store looks for a hold again, in one step with the deletion.
                .thenCompose(recorded -> now(() -> data.delete(kind, tenant, run)))
                .thenApply(deletion -> deletion == Deletion.HELD ? Answer.HELD : Answer.GONE));
    }

    /** Deletes a content that the tenant has, unless a run has it. */
    public CompletionStage<Answer> delete(Tenant tenant, Digest digest, Requester by) {
        return unlessHeld(tenant, () -> now(() -> data.isInUse(tenant, digest))
                .thenCompose(isInUse -> isInUse ? done(Answer.IN_USE) : deleteUnused(tenant, digest, by)));
    }

    /** The store looks for runs again, which may have come after the act. */
    private CompletionStage<Answer> deleteUnused(Tenant tenant, Digest digest, Requester by) {
        return acts.record((at, node) -> new Act.BlobDeleted(at, node, by.principal(), by.origin(), tenant, digest))
                .thenCompose(recorded -> now(() -> data.deleteContent(tenant, digest)))
                .thenApply(isDeleted -> isDeleted ? Answer.GONE : Answer.IN_USE);
    }

    private CompletionStage<Answer> unlessHeld(Tenant tenant, Supplier<CompletionStage<Answer>> deletion) {
        return held.contains(tenant)
                ? done(Answer.HELD)
                : holds.list()
                        .thenCompose(all ->
                                all.stream().anyMatch(hold -> hold.tenant().equals(tenant))
                                        ? done(Answer.HELD)
                                        : deletion.get());
    }

    private <T> CompletionStage<T> now(Supplier<T> call) {
        return CompletableFuture.supplyAsync(call, blocking);
    }

    private static CompletionStage<Answer> done(Answer answer) {
        return CompletableFuture.completedStage(answer);
    }
}
