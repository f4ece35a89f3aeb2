package dev.vivarium.node.placement;

import dev.vivarium.node.placement.NodeSlots.Claim;
import dev.vivarium.node.placement.NodeSlots.Seniority;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The runs that wait for a slot of a node, in order. Immutable: each change gives a new queue, so that any thread can
 * read one without a lock.
 *
 * <p>A run's level is the number of slots that its tenant will hold when its turn comes, divided by the tenant's weight:
 * those held now, plus one for each of the tenant's runs before it. The order is: runs that lost their sandbox, then the lowest level, then the
 * earliest submission. Levels rise along a tenant's queue, so granting one by one gives the order by (seniority, level,
 * submission); a position can therefore be counted tenant by tenant, without simulating grants.
 */
final class SlotQueue {

    /** The order of one tenant's runs. */
    private static final Comparator<Claim> ORDER = Comparator.comparing(Claim::seniority)
            .thenComparing(Claim::submittedAt)
            .thenComparing(claim -> claim.run().value());

    private final Map<Tenant, TenantPart> tenants;
    private final Set<String> leaving;
    private final int size;
    private final ToIntFunction<Tenant> weights;

    private SlotQueue(Map<Tenant, TenantPart> tenants, Set<String> leaving, int size, ToIntFunction<Tenant> weights) {
        this.weights = weights;
        this.tenants = tenants;
        this.leaving = leaving;
        this.size = size;
    }

    /**
     * An empty queue of a node without slots in use.
     *
     * @param weights the weights of tenants, at least 1, which may change
     */
    static SlotQueue empty(ToIntFunction<Tenant> weights) {
        return new SlotQueue(Map.of(), Set.of(), 0, weights);
    }

    /**
     * Slots for a weight, which are compared exactly.
     *
     * @param slots how many
     * @param weight at least 1
     */
    private record Level(long slots, int weight) implements Comparable<Level> {
        @Override
        public int compareTo(Level other) {
            return Long.compare(slots * other.weight, other.slots * weight);
        }
    }

    /**
     * One tenant's slots and queue.
     *
     * @param held how many slots it holds
     * @param queue its waiting runs, in order
     * @param interrupted how many of these, at the front, have lost a sandbox
     * @param aside runs waiting in released shards, which get no slot here
     */
    private record TenantPart(int held, List<Claim> queue, int interrupted, List<Claim> aside) {
        private static final TenantPart NEW = new TenantPart(0, List.of(), 0, List.of());

        TenantPart holding(int change) {
            return new TenantPart(held + change, queue, interrupted, aside);
        }

        TenantPart with(Claim claim) {
            List<Claim> longer = new ArrayList<>(queue);
            longer.add(-Collections.binarySearch(queue, claim, ORDER) - 1, claim);
            return new TenantPart(held, longer, interrupted + (isInterrupted(claim) ? 1 : 0), aside);
        }

        TenantPart withAside(Claim claim) {
            List<Claim> more = new ArrayList<>(aside);
            more.add(claim);
            return new TenantPart(held, queue, interrupted, more);
        }

        TenantPart without(Claim claim) {
            int index = Collections.binarySearch(queue, claim, ORDER);
            if (index < 0) {
                return new TenantPart(
                        held,
                        queue,
                        interrupted,
                        aside.stream().filter(other -> !other.equals(claim)).toList());
            }
            List<Claim> shorter = new ArrayList<>(queue);
            shorter.remove(index);
            return new TenantPart(held, shorter, interrupted - (isInterrupted(claim) ? 1 : 0), aside);
        }

        private static boolean isInterrupted(Claim claim) {
            return claim.seniority() == Seniority.INTERRUPTED;
        }

        int waiting() {
            return queue.size() + aside.size();
        }

        /** How many of its runs precede another run at a level, by its own weight. */
        int before(Claim other, Level level, int weight) {
            int from = isInterrupted(other) ? 0 : interrupted;
            int to = isInterrupted(other) ? interrupted : queue.size();
            // The first of its runs that is not at a lower level, and whether that is at the same.
            int lower = Math.toIntExact((level.slots * weight + level.weight - 1) / level.weight) - held;
            boolean isSame = new Level((long) held + lower, weight).compareTo(level) == 0;
            boolean sameIsBefore = isSame && from <= lower && lower < to && ORDER.compare(queue.get(lower), other) < 0;
            return Math.max(from, Math.min(to, lower)) + (sameIsBefore ? 1 : 0);
        }
    }

    /** How many runs wait. */
    int size() {
        return size;
    }

    /** How many of the tenant's runs wait. */
    int size(Tenant tenant) {
        return of(tenant).waiting();
    }

    /** The queue with one more run, which must not be in it. */
    SlotQueue with(Claim claim) {
        return changed(
                claim.tenant(),
                tenant -> leaving.contains(claim.shard()) ? tenant.withAside(claim) : tenant.with(claim),
                size + 1);
    }

    /** The queue without a waiting run. */
    SlotQueue without(Claim claim) {
        return changed(claim.tenant(), tenant -> tenant.without(claim), size - 1);
    }

    /** The queue after a waiting run got a slot. */
    SlotQueue granted(Claim claim) {
        return changed(claim.tenant(), tenant -> tenant.without(claim).holding(1), size - 1);
    }

    /** The queue after a run of the tenant gave up its slot. */
    SlotQueue left(Tenant tenant) {
        return changed(tenant, one -> one.holding(-1), size);
    }

    /** The queue in which exactly the runs of these shards are set aside. */
    SlotQueue withLeaving(Set<String> shards) {
        if (shards.equals(leaving)) {
            return this;
        }
        Map<Tenant, TenantPart> changed = new HashMap<>();
        tenants.forEach((name, tenant) -> {
            TenantPart sorted = TenantPart.NEW.holding(tenant.held);
            for (List<Claim> claims : List.of(tenant.queue, tenant.aside)) {
                for (Claim claim : claims) {
                    sorted = shards.contains(claim.shard()) ? sorted.withAside(claim) : sorted.with(claim);
                }
            }
            changed.put(name, sorted);
        });
        return new SlotQueue(changed, Set.copyOf(shards), size, weights);
    }

    /** The next run: the first among the tenants' first runs. */
    Optional<Claim> next() {
        return tenants.entrySet().stream()
                .filter(tenant -> !tenant.getValue().queue.isEmpty())
                .map(tenant -> new Turn(
                        tenant.getValue().queue.get(0),
                        new Level(tenant.getValue().held, weights.applyAsInt(tenant.getKey()))))
                .min(Comparator.<Turn, Seniority>comparing(turn -> turn.claim.seniority())
                        .thenComparing(Turn::level)
                        .thenComparing(Turn::claim, ORDER))
                .map(Turn::claim);
    }

    /** A tenant's first run, and its level. */
    private record Turn(Claim claim, Level level) {}

    /** The run's position; empty when it does not wait. */
    Optional<QueueView> position(Claim claim) {
        TenantPart own = of(claim.tenant());
        int rank = Collections.binarySearch(own.queue, claim, ORDER);
        if (rank >= 0) {
            Level level = new Level((long) own.held + rank, weights.applyAsInt(claim.tenant()));
            int before = tenants.entrySet().stream()
                    .mapToInt(tenant -> tenant.getValue().before(claim, level, weights.applyAsInt(tenant.getKey())))
                    .sum();
            return Optional.of(new QueueView(before + 1, size));
        }
        // Its shard is about to move: last here, until its next owner gives it a position.
        return own.aside.contains(claim) ? Optional.of(new QueueView(size, size)) : Optional.empty();
    }

    private TenantPart of(Tenant tenant) {
        return tenants.getOrDefault(tenant, TenantPart.NEW);
    }

    private SlotQueue changed(Tenant name, UnaryOperator<TenantPart> change, int newSize) {
        Map<Tenant, TenantPart> changed = new HashMap<>(tenants);
        changed.compute(name, (any, tenant) -> unlessEmpty(change.apply(tenant == null ? TenantPart.NEW : tenant)));
        return new SlotQueue(changed, leaving, newSize, weights);
    }

    private static @Nullable TenantPart unlessEmpty(TenantPart tenant) {
        return tenant.held == 0 && tenant.waiting() == 0 ? null : tenant;
    }
}
