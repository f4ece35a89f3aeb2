package dev.vivarium.node.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Decides how many sandboxes of each kind are to wait, which are created next, and how many are given up. Pure.
 */
final class PoolPlan {
    private PoolPlan() {}

    /**
     * One kind of sandboxes.
     *
     * @param kind what distinguishes it
     * @param floor how many are to wait in any case
     * @param wanted how many are to wait as runs come
     * @param waiting how many wait
     * @param making how many are being created
     * @param mayMake whether more may be created now
     */
    record Shelf<K>(K kind, int floor, int wanted, int waiting, int making, boolean mayMake) {
        int missing(int target) {
            return target - waiting - making;
        }
    }

    /** What to do now: a sandbox of each kind in {@code make} is created, one of each in {@code giveUp} is destroyed. */
    record Next<K>(List<K> make, List<K> giveUp) {}

    /**
     * The next steps.
     *
     * @param ceiling how many may wait, of all kinds together
     * @param createsMax how many may be created at once
     */
    static <K> Next<K> next(List<Shelf<K>> shelves, int ceiling, int createsMax) {
        List<Integer> targets = targets(shelves, ceiling);
        List<K> giveUp = new ArrayList<>();
        List<K> make = new ArrayList<>();
        int making = shelves.stream().mapToInt(Shelf::making).sum();
        List<Integer> missing = new ArrayList<>();
        for (int each = 0; each < shelves.size(); each++) {
            Shelf<K> shelf = shelves.get(each);
            int target = targets.get(each);
            // One that has just been created may be counted twice for a moment, so only those that wait are too many.
            for (int surplus = shelf.waiting() - target; surplus > 0; surplus--) {
                giveUp.add(shelf.kind());
            }
            missing.add(shelf.mayMake() ? shelf.missing(target) : 0);
        }
        while (making < createsMax) {
            int neediest = neediest(shelves, targets, missing);
            if (neediest < 0) {
                break;
            }
            make.add(shelves.get(neediest).kind());
            missing.set(neediest, missing.get(neediest) - 1);
            making++;
        }
        return new Next<>(List.copyOf(make), List.copyOf(giveUp));
    }

    /** Floors first, then in proportion to what is wanted above them. */
    private static <K> List<Integer> targets(List<Shelf<K>> shelves, int ceiling) {
        int floors = shelves.stream().mapToInt(Shelf::floor).sum();
        int above = shelves.stream()
                .mapToInt(shelf -> Math.max(0, shelf.wanted() - shelf.floor()))
                .sum();
        int room = Math.max(0, ceiling - floors);
        List<Integer> targets = new ArrayList<>();
        for (Shelf<K> shelf : shelves) {
            long floor = floors <= ceiling ? shelf.floor() : (long) shelf.floor() * ceiling / floors;
            long wanted = Math.max(0, shelf.wanted() - shelf.floor());
            targets.add((int) (floor + (above <= room ? wanted : wanted * room / above)));
        }
        return targets;
    }

    /** The kind that has the smallest part of what it is to have; -1 when none lacks any. */
    private static <K> int neediest(List<Shelf<K>> shelves, List<Integer> targets, List<Integer> missing) {
        return IntStream.range(0, shelves.size())
                .filter(each -> missing.get(each) > 0)
                .boxed()
                .max(Comparator.comparingDouble(each -> (double) missing.get(each) / targets.get(each)))
                .orElse(-1);
    }
}
