package dev.vivarium.node.pool;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;

/** Puts sandboxes into a pool without a keeper. */
public final class Waiting {
    private Waiting() {}

    /** Lets one wait that suits the template, and returns its id. */
    public static SandboxId in(WarmPool pool, SandboxTemplate template, PoolKind.Link link) {
        pool.open(taken -> {});
        return pool.make(pool.kind(template, link).orElseThrow(), 0, () -> {})
                .toCompletableFuture()
                .join()
                .id();
    }
}
