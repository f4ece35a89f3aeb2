package dev.vivarium.node.lease;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a node has granted to which other, and what all have told about a node that they grant nothing any more. From that
 * follows by when the lease of that node has ended: a majority had to grant it, and whoever is left knows when it last did.
 * Nodes are known by their lives. Not safe for use by several threads.
 */
final class LeaseGrants {
    /** What a guest may need for its last kill after the end of the lease, and what clocks may differ in that time. */
    private static final Duration MARGIN = Duration.ofMillis(500);

    private final long lengthNanos;
    private final Map<String, Long> lastNanos = new HashMap<>();
    private final Map<String, GivenUp> givenUp = new HashMap<>();

    /** A node that is granted nothing any more: since when, and when each of the others granted last, at the latest. */
    private record GivenUp(String name, long sinceNanos, int votersBefore, Map<String, Long> toldNanos) {}

    LeaseGrants(Duration length) {
        this.lengthNanos = length.plus(MARGIN).toNanos();
    }

    /** Whether the node is granted a lease; never again after it was given up. */
    boolean grant(String life, long nanos) {
        if (givenUp.containsKey(life)) {
            return false;
        }
        lastNanos.put(life, nanos);
        return true;
    }

    /**
     * The node is granted nothing any more.
     *
     * @param name its name, which another life of it may get
     * @param votersBefore how many nodes had a vote when it still had one, at the most
     */
    void giveUp(String life, String name, int votersBefore, long nanos) {
        givenUp.putIfAbsent(life, new GivenUp(name, nanos, votersBefore, new HashMap<>()));
    }

    /** A node of that name is there in another life: what was granted to an earlier one is of no use any more. */
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

    /** The lives that were given up of late, by their names; later nobody asks for them any more. */
    Map<String, String> givenUp(long nanos) {
        forgetIf(about -> nanos - about.sinceNanos > 2 * lengthNanos);
        Map<String, String> names = new HashMap<>();
        givenUp.forEach((life, about) -> names.put(life, about.name));
        return Map.copyOf(names);
    }

    /**
     * How long ago this node last granted to it. Zero when it never did: it knows nothing then of what those have granted
     * who had its vote before.
     */
    Duration last(String life, long nanos) {
        return Duration.ofNanos(nanos - lastNanos.getOrDefault(life, nanos));
    }

    /** A node has told that it gives the other one up, and how long ago it last granted to it. */
    void told(String life, String by, Duration ago, long nanos) {
        GivenUp about = givenUp.get(life);
        if (about != null) {
            // The least: what is told again may have been under way for longer.
            about.toldNanos.merge(by, nanos - ago.toNanos(), (before, now) -> before - now < 0 ? before : now);
        }
    }

    /**
     * When the lease of a node that was given up has ended for sure; empty while that is not known.
     *
     * @param voters all that have a vote now
     */
    OptionalLong end(String life, Set<String> voters) {
        GivenUp about = givenUp.get(life);
        if (about == null
                || !about.toldNanos.keySet().containsAll(voters)
                || 2 * about.toldNanos.size() < about.votersBefore) {
            return OptionalLong.empty();
        }
        long latest = about.toldNanos.values().stream()
                .reduce((one, other) -> one - other > 0 ? one : other)
                .orElse(about.sinceNanos);
        return OptionalLong.of(latest + lengthNanos);
    }
}
