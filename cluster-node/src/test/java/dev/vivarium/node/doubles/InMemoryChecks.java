package dev.vivarium.node.doubles;

import dev.vivarium.node.audit.LogChecks;
import dev.vivarium.protocol.api.AuditCheck;
import dev.vivarium.protocol.auth.Principal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Checks of a log that the test decides on. */
public final class InMemoryChecks implements LogChecks {
    public final List<Principal> asked = Collections.synchronizedList(new ArrayList<>());
    public volatile AuditCheck known = new AuditCheck(
            Optional.of(new AuditCheck.Report(
                    Instant.parse("2026-11-24T02:30:00Z"),
                    Optional.of(Instant.parse("2026-11-24T02:41:00Z")),
                    "node-1",
                    7,
                    List.of())),
            Optional.empty());
    public volatile Optional<RuntimeException> failure = Optional.empty();
    public volatile Optional<AuditCheck.Progress> begins =
            Optional.of(new AuditCheck.Progress(Instant.parse("2026-11-25T12:00:00Z"), "node-2", 9, 0));

    @Override
    public AuditCheck known() {
        return known;
    }

    @Override
    public CompletionStage<AuditCheck> begin(Principal by) {
        asked.add(by);
        return failure.<CompletionStage<AuditCheck>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(new AuditCheck(known.last(), begins)));
    }
}
