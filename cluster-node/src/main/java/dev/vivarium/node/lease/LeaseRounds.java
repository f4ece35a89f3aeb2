package dev.vivarium.node.lease;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The rounds in which a node asks all for its lease, the newest few of them. What a round proves is as old as the question:
 * an answer may have been under way for long. Not safe for use by several threads.
 */
final class LeaseRounds {
    private static final int KEPT = 8;

    private final Deque<Round> rounds = new ArrayDeque<>();
    private long last;

    private record Round(long number, long askedNanos, Set<String> granted) {}

    /** Begins a round; gives its number. */
    long begin(long nanos) {
        if (rounds.size() == KEPT) {
            rounds.removeFirst();
        }
        last++;
        rounds.addLast(new Round(last, nanos, new HashSet<>()));
        return last;
    }

    /**
     * A node has granted.
     *
     * @param voters all that have a vote
     * @return when the round was begun, once more than half of the voters have granted in it
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
