package dev.vivarium.node.network.resolver;

import dev.vivarium.node.driver.SandboxId;
import java.util.HashMap;
import java.util.Map;

/**
 * Divides the concurrent look-ups among sandboxes. A sandbox may have as many as are still free, up to a limit: the
 * more others have, the fewer it gets. So heavy users always leave some for light ones (dynamic thresholds, Choudhury
 * and Hahne 1998). Thread-safe.
 */
final class LookupShares {
    private final int total;
    private final int each;
    private final Map<SandboxId, Integer> held = new HashMap<>();
    private int taken;

    LookupShares(int total, int each) {
        this.total = total;
        this.each = each;
    }

    /** Takes one; returns false when the sandbox has its share. */
    synchronized boolean take(SandboxId sandbox) {
        int has = held.getOrDefault(sandbox, 0);
        if (has >= Math.min(each, total - taken)) {
            return false;
        }
        held.put(sandbox, has + 1);
        taken++;
        return true;
    }

    /** Returns one that was taken. */
    synchronized void giveBack(SandboxId sandbox) {
        held.computeIfPresent(sandbox, (id, before) -> before == 1 ? null : before - 1);
        taken--;
    }
}
