package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.RunEvent;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The counts of one sandbox from one source: the kernel, or the resolver and the gateway.
 *
 * @param opened the number of connections opened
 * @param reached their destinations, as far as counted separately
 * @param refused the number of packets, questions and requests that were denied
 * @param tried their destinations, as far as counted separately
 */
record EgressTally(long opened, List<EgressReach> reached, long refused, List<EgressDenial> tried) {
    static final EgressTally NOTHING = new EgressTally(0, List.of(), 0, List.of());

    EgressTally {
        reached = List.copyOf(reached);
        tried = List.copyOf(tried);
    }

    /** The sum of both; no connection is counted by two sources. */
    EgressTally plus(EgressTally other) {
        return new EgressTally(
                opened + other.opened,
                Stream.concat(reached.stream(), other.reached.stream()).toList(),
                refused + other.refused,
                Stream.concat(tried.stream(), other.tried.stream()).toList());
    }

    /** The report: all destinations are counted, and those with most connections and attempts are named. */
    EgressUse use(EgressUse.Traffic traffic) {
        return new EgressUse(
                opened,
                new EgressUse.Reached(
                        reached.size(),
                        reached.stream()
                                .sorted(Comparator.comparingLong(EgressReach::count)
                                        .reversed())
                                .limit(RunEvent.EgressUsed.REACHES_MAX)
                                .toList()),
                traffic,
                refused,
                tried.size(),
                tried.stream()
                        .sorted(Comparator.comparingLong(EgressDenial::count).reversed())
                        .limit(RunEvent.EgressDenied.DENIALS_MAX)
                        .toList());
    }
}
