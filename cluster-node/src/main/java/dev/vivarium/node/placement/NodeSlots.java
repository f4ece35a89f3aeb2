package dev.vivarium.node.placement;

import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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
 * The slots of a node: which runs hold one, and which wait. A run holds its slot from before anything of it is durable until
 * it has ended, or has left the node; so what the node has is never given away twice.
 *
 * <p>Turns come in the order of {@link SlotQueue}: a run that has lost its sandbox before one that never had any; then one
 * of the tenant that holds fewest slots here, so that nobody's many runs keep another's few from running; then the one
 * that was submitted first. If there is not enough for it yet, nobody overtakes it, or a large run might wait for ever
 * among small ones. A run that asks for more memory or processors than the whole node has gets all of them.
 *
 * <p>Safe for use by any thread. A turn is told once, outside of any lock; positions and counts are read without one.
 */
public final class NodeSlots {
    /** What is released moves within seconds; if it did not move, somebody else decided so, and it is ours again. */
    private static final long RELEASED_NANOS = Duration.ofSeconds(20).toNanos();

    private final Capacity capacity;
    private final int waitingMax;
    private final int tenantWaitingMax;
    private final Drain drain;
    private final LongSupplier nanos;
    private final Map<RunId, Claim> holding = new HashMap<>();
    private final Map<RunId, Claim> waiting = new ConcurrentHashMap<>();
    private final Map<String, Long> released = new HashMap<>();
    private final List<CompletableFuture<Done>> untilAllLeft = new ArrayList<>();
    private Capacity taken = Capacity.NONE;
    private SlotQueue queue = SlotQueue.EMPTY;
    /** The queue after the last change, for those that only read. */
    private volatile SlotQueue published = SlotQueue.EMPTY;

    /** Whether a run has had a sandbox before. */
    public enum Seniority {
        INTERRUPTED,
        NEW
    }

    /**
     * A run's wish for a slot.
     *
     * @param submittedAt since when it is there
     * @param turn told when it has got one that it had to wait for
     */
    public record Claim(
            RunId run,
            Tenant tenant,
            Capacity asked,
            Seniority seniority,
            Instant submittedAt,
            String shard,
            Runnable turn) {}

    /** What comes of a claim. */
    public enum Answer {
        /** The run holds a slot. */
        HOLDS,
        /** It waits for its turn. */
        WAITS,
        /** The queue is full. */
        QUEUE_FULL,
        /** The tenant has its most runs in the queue. */
        TENANT_FULL
    }

    /** How much is taken of what. */
    public record Count(Capacity taken, int holding, int waiting) {}

    /**
     * Slots of a node, all free.
     *
     * @param capacity what the node has
     * @param waitingMax the most new runs that may wait
     * @param tenantWaitingMax the most of them that may be one tenant's
     * @param drain while it is on nobody's turn comes
     * @param nanos a clock that never jumps, in nanoseconds
     */
    public NodeSlots(Capacity capacity, int waitingMax, int tenantWaitingMax, Drain drain, LongSupplier nanos) {
        this.capacity = capacity;
        this.waitingMax = waitingMax;
        this.tenantWaitingMax = tenantWaitingMax;
        this.drain = drain;
        this.nanos = nanos;
    }

    public Capacity capacity() {
        return capacity;
    }

    public int waitingMax() {
        return waitingMax;
    }

    // ---- coming and going

    /** Claims a slot for a new run, which is refused when too many wait, or at once when it may not wait here. */
    public Answer offer(Claim claim, WhenFull whenFull) {
        return enter(claim, () -> whenFull == WhenFull.QUEUE ? bounded(claim) : Answer.QUEUE_FULL);
    }

    /** Claims a slot for a run that has been accepted, however many wait. Idempotent. */
    public Answer claim(Claim claim) {
        return enter(claim, () -> Answer.WAITS);
    }

    /** @param withoutSlot what comes of it when it is in the queue and its turn is not now */
    private Answer enter(Claim claim, Supplier<Answer> withoutSlot) {
        List<Claim> turns;
        Answer answer;
        synchronized (this) {
            if (holding.containsKey(claim.run)) {
                return Answer.HOLDS;
            }
            stopWaiting(claim.run);
            waiting.put(claim.run, claim);
            queue = queue.with(claim);
            turns = giveWhatIsFree();
            answer = holding.containsKey(claim.run) ? Answer.HOLDS : withoutSlot.get();
            if (answer != Answer.HOLDS && answer != Answer.WAITS) {
                stopWaiting(claim.run);
            }
            published = queue;
        }
        // The caller gets its turn as the return value and is not notified as well.
        tell(turns.stream().filter(turn -> !turn.run.equals(claim.run)).toList());
        return answer;
    }

    private Answer bounded(Claim claim) {
        if (queue.size() > waitingMax) {
            return Answer.QUEUE_FULL;
        }
        return queue.size(claim.tenant) > tenantWaitingMax ? Answer.TENANT_FULL : Answer.WAITS;
    }

    /** The run will not begin here, but where it is held next: it waits again. */
    public void giveBack(Claim claim) {
        leave(claim.run);
        claim(claim);
    }

    /** The run has ended, or has left this node. */
    public void leave(RunId run) {
        List<Claim> turns;
        List<CompletableFuture<Done>> told = List.of();
        synchronized (this) {
            stopWaiting(run);
            Claim held = holding.remove(run);
            if (held != null) {
                taken = taken.minus(keptFor(held.asked));
                queue = queue.left(held.tenant);
            }
            turns = giveWhatIsFree();
            published = queue;
            if (holding.isEmpty()) {
                told = List.copyOf(untilAllLeft);
                untilAllLeft.clear();
            }
        }
        tell(turns);
        told.forEach(all -> all.complete(Done.getInstance()));
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

    /** Looks whether somebody's turn has come who could not be told when it came. */
    public void look() {
        List<Claim> turns;
        synchronized (this) {
            turns = giveWhatIsFree();
            published = queue;
        }
        tell(turns);
    }

    private void stopWaiting(RunId run) {
        Claim claim = waiting.remove(run);
        if (claim != null) {
            queue = queue.without(claim);
        }
    }

    // ---- whose turn it is

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
        return asked.atMost(new Capacity(Capacity.UNLIMITED, capacity.memoryBytes(), capacity.millicores()));
    }

    private static void tell(List<Claim> turns) {
        turns.forEach(claim -> claim.turn.run());
    }

    // ---- what is asked of it

    public synchronized boolean isHeldBy(RunId run) {
        return holding.containsKey(run);
    }

    /** Whether a further new run would be refused. */
    public synchronized boolean isFull(Capacity asked) {
        boolean fits = queue.size() == 0 && fits(asked);
        return !fits && queue.size() >= waitingMax;
    }

    /** Where the run stands among those that wait; empty when it does not. */
    public Optional<QueueView> position(RunId run) {
        return Optional.ofNullable(waiting.get(run)).flatMap(claim -> published.position(claim));
    }

    /** How much is taken, and how many hold and wait. */
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

    // ---- shards that leave

    /** Releases all shards in which no run holds a slot; from now on none in them gets one here. */
    public synchronized Set<String> releaseAll(Set<String> among) {
        return release(without(among, shardsOf(holding)));
    }

    /** The same for one shard in which runs wait. */
    public synchronized Set<String> releaseWaiting(Set<String> among) {
        Set<String> candidates = without(shardsOf(waiting), shardsOf(holding));
        candidates.retainAll(among);
        return release(one(candidates));
    }

    /** The same for one shard in which no run waits either. */
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
