package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** How many of one kind of thing each sandbox has at the moment. Safe for use by many threads. */
public final class Quota {
    private final int max;
    private final ConcurrentMap<SandboxId, Integer> held = new ConcurrentHashMap<>();

    /**
     * A quota.
     *
     * @param max the most that one sandbox may have at once, one or more
     */
    public Quota(int max) {
        this.max = max;
    }

    /** Takes one; false, and nothing is taken, when the sandbox has all that it may have. */
    public boolean take(SandboxId sandbox) {
        boolean[] taken = {false};
        held.compute(sandbox, (id, before) -> {
            int count = before == null ? 0 : before;
            taken[0] = count < max;
            return taken[0] ? Integer.valueOf(count + 1) : before;
        });
        return taken[0];
    }

    /** Gives one back that was taken. */
    public void giveBack(SandboxId sandbox) {
        held.computeIfPresent(sandbox, (id, before) -> before == 1 ? null : before - 1);
    }
}
