package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * The sequence of a trial's faults: a pure function of the seed, the number of nodes, the kinds and the time. Each kind
 * occurs once before any is repeated.
 *
 * @param seed the seed
 * @param faults the faults in order
 */
public record FaultPlan(long seed, List<Fault> faults) {
    /** How long recovery usually takes, for the length of the plan. */
    private static final Duration REPAIR = Duration.ofSeconds(12);

    private static final int QUIET_MILLIS_MIN = 2_000;

    private static final int QUIET_MILLIS_MAX = 6_000;
    /** From shorter than the failure detector's pause to long enough for the peers to down the node. */
    private static final int SHORT_MILLIS_MIN = 200;

    private static final int SHORT_MILLIS_MAX = 2_500;

    private static final int LONG_MILLIS_MIN = 9_000;
    private static final int LONG_MILLIS_MAX = 16_000;
    /** One in this many faults is short; one in this many is followed immediately by the next. */
    private static final int SHORT_ONE_IN = 4;

    private static final int AT_ONCE_ONE_IN = 5;

    public FaultPlan {
        faults = List.copyOf(faults);
    }

    /** A plan of about the given length; at least one fault. */
    public static FaultPlan of(long seed, int nodes, Set<Fault.Kind> kinds, Duration span) {
        if (nodes < 1 || kinds.isEmpty()) {
            throw new IllegalArgumentException("a plan needs a node and a kind of fault");
        }
        Random random = new Random(seed);
        List<Fault> faults = new ArrayList<>();
        List<Fault.Kind> round = new ArrayList<>();
        Duration planned = Duration.ZERO;
        while (faults.isEmpty() || planned.compareTo(span) < 0) {
            if (round.isEmpty()) {
                round.addAll(kinds.stream().sorted().toList());
                Collections.shuffle(round, random);
            }
            Fault next = fault(round.remove(0), nodes, random);
            faults.add(next);
            planned = planned.plus(next.quiet()).plus(next.lasting()).plus(REPAIR);
        }
        return new FaultPlan(seed, faults);
    }

    private static Fault fault(Fault.Kind kind, int nodes, Random random) {
        // Every number is drawn whether needed or not, so that plans with more kinds stay similar.
        int node = 1 + random.nextInt(nodes);
        int quietMillis = QUIET_MILLIS_MIN + random.nextInt(QUIET_MILLIS_MAX - QUIET_MILLIS_MIN);
        boolean brief = random.nextInt(SHORT_ONE_IN) == 0;
        int shortMillis = SHORT_MILLIS_MIN + random.nextInt(SHORT_MILLIS_MAX - SHORT_MILLIS_MIN);
        int longMillis = LONG_MILLIS_MIN + random.nextInt(LONG_MILLIS_MAX - LONG_MILLIS_MIN);
        boolean atOnce = random.nextInt(AT_ONCE_ONE_IN) == 0;
        return new Fault(
                kind,
                kind.isOfANode() ? node : 0,
                Duration.ofMillis(quietMillis),
                Duration.ofMillis(brief ? shortMillis : longMillis),
                atOnce ? Fault.After.AT_ONCE : Fault.After.WHOLE);
    }
}
