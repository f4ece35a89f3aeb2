package dev.vivarium.node.lease;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The leases that a node has granted to others, and what all nodes report about a node that gets no more grants. From
 * these follows when that node's lease has ended: a majority had to grant it, and the remaining nodes know when they
 * last did. Nodes are identified by their incarnations. Not thread-safe.
 */
final class LeaseGrants {
    /** Covers a guest's last kill after the end of the lease, and clock drift in that time. */
    private static final Duration MARGIN = Duration.ofMillis(500);

    private final long lengthNanos;
    private final Map<String, Long> lastNanos = new HashMap<>();
    private final Map<String, GivenUp> givenUp = new HashMap<>();

    /** A node that gets no more grants: since when, and an upper bound of each other node's last grant. */
    private record GivenUp(String name, long sinceNanos, int votersBefore, Map<String, Long> reportedNanos) {}

    LeaseGrants(Duration length) {
        this.lengthNanos = length.plus(MARGIN).toNanos();
    }

    /** Whether to grant the node a lease; never again after {@link #giveUp}. */
    boolean grant(String life, long nanos) {
        if (givenUp.containsKey(life)) {
            return false;
        }
        lastNanos.put(life, nanos);
        return true;
    }

    /**
     * The node gets no more grants.
     *
     * @param name its name, which a later incarnation may have, too
     * @param votersBefore an upper bound of the number of voters while it was one
     */
    void giveUp(String life, String name, int votersBefore, long nanos) {
        givenUp.putIfAbsent(life, new GivenUp(name, nanos, votersBefore, new HashMap<>()));
    }

    /** A later incarnation with this name exists: grants to earlier ones are obsolete. */
    void forget(String name) {
        forgetIf(about -> about.name.equals(name));
    }

    private void forgetIf(Predicate<GivenUp> over) {
        for (Map.Entry<String, GivenUp> entry : Map.copyOf(givenUp).entrySet()) {
            if (over.test(entry.getValue())) {
                givenUp.remove(entry.getKey());
                lastNanos.remove(entry.getKey());
            }
        }
    }

    /** The incarnations given up recently, by their names; later ones need no answer. */
    Map<String, String> givenUp(long nanos) {
        forgetIf(about -> nanos - about.sinceNanos > 2 * lengthNanos);
        Map<String, String> names = new HashMap<>();
        givenUp.forEach((life, about) -> names.put(life, about.name));
        return Map.copyOf(names);
    }

    /**
     * How long ago this node last granted it a lease. Zero if it never did: it does not know what nodes that voted
     * before it have granted.
     */
    Duration last(String life, long nanos) {
        return Duration.ofNanos(nanos - lastNanos.getOrDefault(life, nanos));
    }

    /** A node reports that it gives the other one up, and how long ago it last granted it a lease. */
    void reported(String life, String by, Duration ago, long nanos) {
        GivenUp about = givenUp.get(life);
        if (about != null) {
            // The minimum, since a repeated report may have been in flight for longer.
            about.reportedNanos.merge(by, nanos - ago.toNanos(), (before, now) -> before - now < 0 ? before : now);
        }
    }

    /**
     * When the lease of a given-up node has certainly ended; empty while that is unknown.
     *
     * @param voters the current voters
     */
    OptionalLong end(String life, Set<String> voters) {
        GivenUp about = givenUp.get(life);
        if (about == null
                || !about.reportedNanos.keySet().containsAll(voters)
                || 2 * about.reportedNanos.size() < about.votersBefore) {
            return OptionalLong.empty();
        }
        long latest = about.reportedNanos.values().stream()
                .reduce((one, other) -> one - other > 0 ? one : other)
                .orElse(about.sinceNanos);
        return OptionalLong.of(latest + lengthNanos);
    }
}
