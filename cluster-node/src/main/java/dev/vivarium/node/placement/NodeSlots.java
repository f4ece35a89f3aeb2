package dev.vivarium.node.placement;

import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.Done;

/**
 * The slots of a node: which runs hold one, and which wait. A run holds its slot from before it is durable until it has
 * ended or left the node, so that capacity is never allocated twice.
 *
 * <p>Runs get slots in the order of {@link SlotQueue}: a run that lost its sandbox before one that never had any; then
 * a run of the tenant with the fewest slots here, so that one tenant's many runs do not starve another's few; then the
 * one submitted first. If there is not enough capacity for the first run, no other overtakes it, or a large run could
 * starve among small ones. A run that needs more memory or processors than the whole node has gets all of them.
 *
 * <p>Thread-safe. A grant is notified once, outside any lock; positions and counts are read without locking.
 */
public final class NodeSlots {
    /**
     * Released shards move within seconds; one that has not moved after this time was kept by the coordinator and
     * belongs here again.
     */
    private static final long RELEASED_NANOS = Duration.ofSeconds(20).toNanos();

    /** In a report to other nodes, which must not grow with the number of labels. */
    private static final int TENANTS_MAX = 1_000;

    private final Capacity capacity;
    private final int waitingMax;
    private final int tenantWaitingMax;
    private final Drain drain;
    private final LongSupplier nanos;
    private final QuotaCheck quotas;
    private final KeptLately keptLately;
    private final Map<Tenant, TenantUse> used = new HashMap<>();
    private final Map<RunId, Claim> holding = new HashMap<>();
    private final Map<RunId, Claim> waiting = new ConcurrentHashMap<>();
    private final Map<String, Long> released = new HashMap<>();
    private final List<CompletableFuture<Done>> untilAllLeft = new ArrayList<>();
    private Capacity taken = Capacity.NONE;
    private SlotQueue queue;
    /** The queue after the last change, for lock-free readers. */
    private volatile SlotQueue published;

    /** Whether a run has had a sandbox before. */
    public enum Seniority {
        INTERRUPTED,
        NEW
    }

    /**
     * A run's claim to a slot.
     *
     * @param submittedAt when it was submitted
     * @param use what it takes of its tenant's quotas
     * @param turn notified when it gets a slot after waiting
     */
    public record Claim(
            RunId run,
            Tenant tenant,
            Capacity asked,
            TenantUse use,
            Seniority seniority,
            Instant submittedAt,
            String shard,
            Runnable turn) {}

    /** The answer to a claim. */
    public enum Answer {
        /** The run holds a slot. */
        HOLDS,
        /** It waits in the queue. */
        WAITS,
        /** The queue is full. */
        QUEUE_FULL,
        /** The tenant has its maximum of runs in the queue. */
        TENANT_FULL,
        /** The tenant would be over a quota. */
        OVER_QUOTA
    }

    /**
     * The answer to an offer.
     *
     * @param excess the quota, exactly for {@link Answer#OVER_QUOTA}
     */
    public record Offered(Answer answer, Optional<QuotaExcess> excess) {
        private Offered(Answer answer) {
            this(answer, Optional.empty());
        }

        private Offered(QuotaExcess excess) {
            this(Answer.OVER_QUOTA, Optional.of(excess));
        }
    }

    /** What is reserved, and how many runs hold slots and wait. */
    public record Count(Capacity taken, int holding, int waiting) {}

    /**
     * Slots of a node, all free.
     *
     * @param capacity the node's capacity
     * @param waitingMax the most new runs that may wait
     * @param tenantWaitingMax the most of them for one tenant
     * @param drain while the node drains, no slot is granted
     * @param nanos a monotonic clock in nanoseconds
     * @param quotas tells whether new runs are within their tenant's quotas
     */
    public NodeSlots(
            Capacity capacity,
            int waitingMax,
            int tenantWaitingMax,
            Drain drain,
            LongSupplier nanos,
            QuotaCheck quotas) {
        this.capacity = capacity;
        this.waitingMax = waitingMax;
        this.tenantWaitingMax = tenantWaitingMax;
        this.drain = drain;
        this.nanos = nanos;
        this.quotas = quotas;
        this.keptLately = new KeptLately(this, nanos);
        this.queue = SlotQueue.empty(quotas::weight);
        this.published = queue;
    }

    public Capacity capacity() {
        return capacity;
    }

    public int waitingMax() {
        return waitingMax;
    }

    // ---- coming and going

    /**
     * Claims a slot for a new run. Refused when its tenant would be over a quota, when too many wait, or when it may not
     * wait here and there is no free slot.
     */
    public Offered offer(Claim claim, WhenFull whenFull) {
        return enter(
                claim,
                () -> excess(claim.tenant, claim.use),
                () -> whenFull == WhenFull.QUEUE ? bounded(claim) : new Offered(Answer.QUEUE_FULL));
    }

    /** The quota that the tenant would be over with so much more. */
    public synchronized Optional<QuotaExcess> excess(Tenant tenant, TenantUse asked) {
        return quotas.excess(tenant, usedBy(tenant), asked);
    }

    /** Counts something for a tenant, beside its runs, or tells the quota that it would be over. */
    public synchronized Optional<QuotaExcess> reserve(Tenant tenant, TenantUse asked) {
        Optional<QuotaExcess> over = excess(tenant, asked);
        if (over.isEmpty()) {
            charge(tenant, asked);
        }
        return over;
    }

    /** Counts something for a tenant, beside its runs, whatever its quotas are. */
    synchronized void charge(Tenant tenant, TenantUse more) {
        use(tenant, usedBy(tenant).plus(more));
    }

    /** No longer counts what was reserved or charged. */
    public synchronized void discharge(Tenant tenant, TenantUse before) {
        use(tenant, usedBy(tenant).minus(before));
    }

    /** What was stored for tenants lately. */
    public KeptLately keptLately() {
        return keptLately;
    }

    /** Claims a slot for an accepted run, however many wait. Idempotent. */
    public Answer claim(Claim claim) {
        return enter(claim, Optional::empty, () -> new Offered(Answer.WAITS)).answer;
    }

    /**
     * @param excess the quota that keeps the run out
     * @param withoutSlot the answer when the run is queued and gets no slot now
     */
    private Offered enter(Claim claim, Supplier<Optional<QuotaExcess>> excess, Supplier<Offered> withoutSlot) {
        List<Claim> turns;
        Offered offered;
        synchronized (this) {
            if (holding.containsKey(claim.run)) {
                return new Offered(Answer.HOLDS);
            }
            stopWaiting(claim.run);
            Optional<QuotaExcess> over = excess.get();
            if (over.isPresent()) {
                published = queue;
                return new Offered(over.get());
            }
            waiting.put(claim.run, claim);
            use(claim.tenant, usedBy(claim.tenant).plus(claim.use).plus(TenantUse.WAITING));
            queue = queue.with(claim);
            turns = giveWhatIsFree();
            offered = holding.containsKey(claim.run) ? new Offered(Answer.HOLDS) : withoutSlot.get();
            if (offered.answer != Answer.HOLDS && offered.answer != Answer.WAITS) {
                stopWaiting(claim.run);
            }
            published = queue;
        }
        // The caller gets its turn as the return value and is not notified as well.
        notifyOwners(turns.stream().filter(turn -> !turn.run.equals(claim.run)).toList());
        return offered;
    }

    private Offered bounded(Claim claim) {
        if (queue.size() > waitingMax) {
            return new Offered(Answer.QUEUE_FULL);
        }
        if (queue.size(claim.tenant) > tenantWaitingMax) {
            return new Offered(Answer.TENANT_FULL);
        }
        // It is in the queue already.
        TenantUse before = usedBy(claim.tenant).minus(TenantUse.WAITING);
        return quotas.excess(claim.tenant, before, TenantUse.WAITING)
                .map(Offered::new)
                .orElseGet(() -> new Offered(Answer.WAITS));
    }

    /** The run will start where it is owned next instead of here: it waits again. */
    public void giveBack(Claim claim) {
        leave(claim.run);
        claim(claim);
    }

    /** The run has ended or left this node. */
    public void leave(RunId run) {
        List<Claim> turns;
        List<CompletableFuture<Done>> completed = List.of();
        synchronized (this) {
            stopWaiting(run);
            Claim held = holding.remove(run);
            if (held != null) {
                taken = taken.minus(keptFor(held.asked));
                use(held.tenant, usedBy(held.tenant).minus(held.use));
                queue = queue.left(held.tenant);
            }
            turns = giveWhatIsFree();
            published = queue;
            if (holding.isEmpty()) {
                completed = List.copyOf(untilAllLeft);
                untilAllLeft.clear();
            }
        }
        notifyOwners(turns);
        completed.forEach(all -> all.complete(Done.getInstance()));
    }

    /** Completes when no run holds a slot any more. */
    public CompletionStage<Done> allLeft() {
        CompletableFuture<Done> all = new CompletableFuture<>();
        synchronized (this) {
            if (!holding.isEmpty()) {
                untilAllLeft.add(all);
                return all;
            }
        }
        all.complete(Done.getInstance());
        return all;
    }

    /** Grants slots to runs whose turn came when they could not be notified. */
    public void look() {
        List<Claim> turns;
        synchronized (this) {
            turns = giveWhatIsFree();
            published = queue;
        }
        notifyOwners(turns);
    }

    private void stopWaiting(RunId run) {
        Claim claim = waiting.remove(run);
        if (claim != null) {
            use(claim.tenant, usedBy(claim.tenant).minus(claim.use).minus(TenantUse.WAITING));
            queue = queue.without(claim);
        }
    }

    private void use(Tenant tenant, TenantUse now) {
        if (now.equals(TenantUse.NONE)) {
            used.remove(tenant);
        } else {
            used.put(tenant, now);
        }
    }

    // ---- the order

    private List<Claim> giveWhatIsFree() {
        List<Claim> turns = new ArrayList<>();
        if (waiting.isEmpty() || drain.isDraining()) {
            return turns;
        }
        forgetOldReleases();
        for (Optional<Claim> next = nextThatFits(); next.isPresent(); next = nextThatFits()) {
            Claim claim = next.get();
            waiting.remove(claim.run);
            queue = queue.granted(claim);
            use(claim.tenant, usedBy(claim.tenant).minus(TenantUse.WAITING));
            holding.put(claim.run, claim);
            taken = taken.plus(keptFor(claim.asked));
            turns.add(claim);
        }
        return turns;
    }

    private Optional<Claim> nextThatFits() {
        return queue.next().filter(claim -> fits(claim.asked));
    }

    private boolean fits(Capacity asked) {
        return capacity.minus(taken).covers(keptFor(asked));
    }

    private Capacity keptFor(Capacity asked) {
        return asked.atMost(new Capacity(
                Capacity.UNLIMITED,
                capacity.memoryBytes(),
                capacity.millicores(),
                capacity.processes(),
                capacity.openFiles(),
                capacity.diskBytes()));
    }

    private static void notifyOwners(List<Claim> turns) {
        turns.forEach(claim -> claim.turn.run());
    }

    // ---- queries

    public synchronized boolean isHeldBy(RunId run) {
        return holding.containsKey(run);
    }

    /** Whether another new run would be refused. */
    public synchronized boolean isFull(Capacity asked) {
        boolean fits = queue.size() == 0 && fits(asked);
        return !fits && queue.size() >= waitingMax;
    }

    /** The run's position in the queue; empty when it is not in it. */
    public Optional<QueueView> position(RunId run) {
        return Optional.ofNullable(waiting.get(run)).flatMap(claim -> published.position(claim));
    }

    /** What a tenant's runs on this node take of its quotas. */
    private TenantUse usedBy(Tenant tenant) {
        return used.getOrDefault(tenant, TenantUse.NONE);
    }

    /** What the tenant uses in the cluster, as its quotas are held against it. */
    public synchronized TenantUse usedInCluster(Tenant tenant) {
        return usedBy(tenant).plus(quotas.elsewhere(tenant));
    }

    /** What tenants use on this node; of very many tenants those with most runs. */
    public synchronized List<TenantLoad> tenants() {
        return used.entrySet().stream()
                .sorted(Map.Entry.<Tenant, TenantUse>comparingByValue(Comparator.comparingLong(TenantUse::runs))
                        .reversed())
                .limit(TENANTS_MAX)
                .map(entry -> new TenantLoad(entry.getKey(), entry.getValue()))
                .toList();
    }

    /** What is reserved, and how many hold slots and wait. */
    public synchronized Count count() {
        return new Count(taken, holding.size(), queue.size());
    }

    /** How many runs hold a slot. */
    public int holding() {
        return count().holding;
    }

    /** How many runs wait for one. */
    public int waiting() {
        return published.size();
    }

    // ---- shards that move away

    /** Releases all shards without a run that holds a slot; from now on none of their runs gets one here. */
    public synchronized Set<String> releaseAll(Set<String> among) {
        return release(without(among, shardsOf(holding)));
    }

    /** Releases one shard without slots in use in which runs wait. */
    public synchronized Set<String> releaseWaiting(Set<String> among) {
        Set<String> candidates = without(shardsOf(waiting), shardsOf(holding));
        candidates.retainAll(among);
        return release(one(candidates));
    }

    /** Releases one shard without slots in use in which no run waits either. */
    public synchronized Set<String> releaseIdle(Set<String> among) {
        return release(one(without(without(among, shardsOf(holding)), shardsOf(waiting))));
    }

    private Set<String> release(Set<String> shards) {
        shards.forEach(shard -> released.put(shard, nanos.getAsLong()));
        forgetOldReleases();
        published = queue;
        return shards;
    }

    private static Set<String> one(Set<String> of) {
        return of.stream().sorted().limit(1).collect(Collectors.toSet());
    }

    private static Set<String> without(Set<String> all, Set<String> some) {
        Set<String> left = new HashSet<>(all);
        left.removeAll(some);
        return left;
    }

    private static Set<String> shardsOf(Map<RunId, Claim> claims) {
        Set<String> shards = new HashSet<>();
        claims.values().forEach(claim -> shards.add(claim.shard));
        return shards;
    }

    private void forgetOldReleases() {
        released.values().removeIf(at -> nanos.getAsLong() - at > RELEASED_NANOS);
        queue = queue.withLeaving(released.keySet());
    }
}
