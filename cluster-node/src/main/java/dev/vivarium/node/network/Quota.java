package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Limits the concurrent uses of one kind per sandbox. Thread-safe. */
public final class Quota {
    private final int max;
    private final ConcurrentMap<SandboxId, Integer> held = new ConcurrentHashMap<>();

    /** @param max the limit per sandbox, at least 1 */
    public Quota(int max) {
        this.max = max;
    }

    /** Takes one; returns false when the sandbox has reached its limit. */
    public boolean take(SandboxId sandbox) {
        boolean[] taken = {false};
        held.compute(sandbox, (id, before) -> {
            int count = before == null ? 0 : before;
            taken[0] = count < max;
            return taken[0] ? Integer.valueOf(count + 1) : before;
        });
        return taken[0];
    }

    /** Returns one that was taken. */
    public void giveBack(SandboxId sandbox) {
        held.computeIfPresent(sandbox, (id, before) -> before == 1 ? null : before - 1);
    }
}
