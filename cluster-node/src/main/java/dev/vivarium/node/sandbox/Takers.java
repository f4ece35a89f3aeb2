package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Decides which sandboxes to kill before something that the whole machine shares is used up. Pure.
 *
 * <p>Those that hold most are killed until half of it would be free. If sandboxes hold at least half of what is in use, at least
 * one holds the average of that half; those that do not hold as much are spared, so that none is killed for what the rest of
 * the machine uses.
 */
final class Takers {
    private Takers() {}

    /**
     * Those to kill, with the largest first.
     *
     * @param inUse how much of it is in use
     * @param max how much there is
     * @param held how much each sandbox holds, at most
     * @param why the sentence for a sandbox that holds so much
     */
    static List<Taker> of(long inUse, long max, Map<SandboxId, Long> held, BiFunction<SandboxId, Long, String> why) {
        if (held.isEmpty()) {
            return List.of();
        }
        long least = inUse / 2 / held.size();
        List<Map.Entry<SandboxId, Long>> largest = held.entrySet().stream()
                .filter(sandbox -> sandbox.getValue() >= least)
                .sorted(Map.Entry.<SandboxId, Long>comparingByValue().reversed())
                .toList();
        List<Taker> takers = new ArrayList<>();
        long left = inUse;
        for (Map.Entry<SandboxId, Long> sandbox : largest) {
            if (left > max / 2) {
                takers.add(new Taker(sandbox.getKey(), why.apply(sandbox.getKey(), sandbox.getValue())));
                left -= sandbox.getValue();
            }
        }
        return List.copyOf(takers);
    }
}
