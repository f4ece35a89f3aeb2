package dev.vivarium.node.doubles;

import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What is kept of runs in memory. The real stores have a contract test. */
public final class InMemoryKeptData implements KeptData {
    private final InMemoryRuns runs;
    private final InMemoryBlobs blobs;
    private final InMemoryHolds holds;

    public InMemoryKeptData(InMemoryRuns runs, InMemoryBlobs blobs, InMemoryHolds holds) {
        this.runs = runs;
        this.blobs = blobs;
        this.holds = holds;
    }

    @Override
    public void forEach(Kind kind, Instant submittedBefore, Consumer<RunId> visit) {
        throw new UnsupportedOperationException("Nobody looks for what is old here.");
    }

    @Override
    public boolean has(Kind kind, RunId run) {
        return switch (kind) {
            case OUTPUT -> runs.printed(run) > 0;
            case ARTIFACTS -> !blobs.heldBy(run).isEmpty();
        };
    }

    @Override
    public Deletion delete(Kind kind, Tenant tenant, RunId run) {
        if (holds.isHeld(tenant)) {
            return Deletion.HELD;
        }
        if (!has(kind, run)) {
            return Deletion.NOTHING;
        }
        switch (kind) {
            case OUTPUT -> runs.deleteOutput(run);
            case ARTIFACTS -> blobs.release(run);
        }
        return Deletion.DELETED;
    }

    @Override
    public boolean isInUse(Tenant tenant, Digest digest) {
        return blobs.isHeld(digest);
    }

    @Override
    public boolean deleteContent(Tenant tenant, Digest digest) {
        return blobs.delete(tenant, digest);
    }

    @Override
    public Optional<Map<Tenant, Size>> sizes(BooleanSupplier goOn) {
        throw new UnsupportedOperationException("Nobody measures here.");
    }
}
