package dev.vivarium.node.lease;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The newest few rounds of lease requests. A round proves contact as of its request, since an answer may have been in
 * flight for long. Not thread-safe.
 */
final class LeaseRounds {
    private static final int KEPT = 8;

    private final Deque<Round> rounds = new ArrayDeque<>();
    private long last;

    private record Round(long number, long askedNanos, Set<String> granted) {}

    /** Begins a round; returns its number. */
    long begin(long nanos) {
        if (rounds.size() == KEPT) {
            rounds.removeFirst();
        }
        last++;
        rounds.addLast(new Round(last, nanos, new HashSet<>()));
        return last;
    }

    /**
     * Records a grant.
     *
     * @param voters the voters
     * @return when the round began, once more than half of the voters have granted it
     */
    OptionalLong granted(long number, String by, Set<String> voters) {
        for (Round round : rounds) {
            if (round.number == number) {
                round.granted.add(by);
                long votes = round.granted.stream().filter(voters::contains).count();
                return 2 * votes > voters.size() ? OptionalLong.of(round.askedNanos) : OptionalLong.empty();
            }
        }
        return OptionalLong.empty();
    }
}
