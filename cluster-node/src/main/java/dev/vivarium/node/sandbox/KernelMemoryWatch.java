package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Decides when uncounted kernel memory, charged to no control group, requires killing a sandbox, and which one. Pure.
 * Known kinds of uncounted memory are counted or refused elsewhere; this catches the unknown ones.
 *
 * <p>A sandbox that makes the kernel hold uncounted memory also causes counted memory: processes, open files, sockets.
 * So the culprit is taken to be the sandbox with the most kernel memory charged to it, if that is a notable part of the
 * growth: growth caused by the rest of the machine is not blamed on a sandbox. Of raw pages, which have many owners outside of
 * sandboxes, it is the one whose sockets hold the most that nobody is charged for.
 *
 * @param growthMaxBytes the allowed growth above the base
 * @param base the lowest amount seen, which slowly follows a lasting growth; empty before the first look
 * @param quietLooks looks until another sandbox may be ended, since memory is freed some time after an end
 */
record KernelMemoryWatch(long growthMaxBytes, OptionalLong base, int quietLooks) {
    /** The time between two looks. */
    static final Duration INTERVAL = Duration.ofSeconds(1);

    /** The culprit has at least one in so many bytes of the growth charged to it. */
    private static final long TAKERS_PART = 8;
    /** The base follows a lasting growth within some minutes, since a machine's own needs change. */
    private static final long BASE_FOLLOWS = 300;

    private static final int QUIET_LOOKS = 5;

    static KernelMemoryWatch of(long growthMaxBytes) {
        return new KernelMemoryWatch(growthMaxBytes, OptionalLong.empty(), 0);
    }

    /** The result of a look: the growth, and the sandbox to end, if any. */
    record Next(KernelMemoryWatch watch, Optional<SandboxId> taker, long growthBytes) {}

    /** Whether a sandbox is to be looked for, so that what only a longer look tells is worth it. */
    boolean isExceededBy(KernelMemory now) {
        return growth(now) > growthMaxBytes && quietLooks == 0;
    }

    private long growth(KernelMemory now) {
        return Math.max(0, now.uncountedBytes() - base.orElse(now.uncountedBytes()));
    }

    Next looked(KernelMemory now) {
        long before = base.orElse(now.uncountedBytes());
        long growth = growth(now);
        if (isExceededBy(now)) {
            Optional<SandboxId> taker = now.ofSandboxes().entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .filter(largest -> largest.getValue() >= growth / TAKERS_PART)
                    .map(Map.Entry::getKey);
            int quiet = taker.isPresent() ? QUIET_LOOKS : 0;
            return new Next(new KernelMemoryWatch(growthMaxBytes, OptionalLong.of(before), quiet), taker, growth);
        }
        long followed = Math.min(now.uncountedBytes(), before + growth / BASE_FOLLOWS);
        return new Next(
                new KernelMemoryWatch(growthMaxBytes, OptionalLong.of(followed), Math.max(0, quietLooks - 1)),
                Optional.empty(),
                growth);
    }
}
