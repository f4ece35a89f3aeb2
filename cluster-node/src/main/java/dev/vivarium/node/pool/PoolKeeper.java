package dev.vivarium.node.pool;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.pool.PoolPlan.Next;
import dev.vivarium.node.pool.PoolPlan.Shelf;
import dev.vivarium.protocol.run.Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Keeps the pool as full as {@link PoolPlan} decides: creates few sandboxes at a time, so that runs are hardly slowed
 * down, replaces old ones, and gives up what nobody asks for any more. A child of the node's guardian. When it stops, the
 * pool's sandboxes are destroyed.
 */
public final class PoolKeeper extends AbstractBehavior<PoolKeeper.Command> {
    /** Weight of the last creation in the mean of how long one takes. */
    private static final double NEWEST = 0.2;

    private static final String PERIODIC = "periodic";

    private final ActorRef<Command> self;
    private final TimerScheduler<Command> timers;
    private final WarmPool pool;
    private final PoolSettings settings;
    private final IntSupplier room;
    private final NodeClock clock;
    private final Map<PoolKind, Kind> kinds = new HashMap<>();
    /** Until the first one is created; a guess only delays the first refills. */
    private double makeNanos = Duration.ofMillis(50).toNanos();

    /** The keeper's messages. */
    public sealed interface Command {}

    private enum Look implements Command {
        DUE
    }

    private record Taken(PoolKind kind) implements Command {}

    private record Made(PoolKind kind, long nanos) implements Command {}

    private record NotMade(PoolKind kind, Throwable why) implements Command {}

    /** One kind's demand, and creations. */
    private static final class Kind {
        final int floor;
        Demand demand;
        int making;
        Duration retry;
        long notBeforeNanos;
        long takenNanos;

        Kind(int floor, long now, Duration retry) {
            this.floor = floor;
            this.demand = Demand.none(now);
            this.retry = retry;
            this.notBeforeNanos = now;
            this.takenNanos = now - Duration.ofDays(1).toNanos();
        }
    }

    /**
     * A keeper of this pool.
     *
     * @param defaults the limits of a run that names none
     * @param room how many more runs the node has room for now
     */
    public static Behavior<Command> create(
            WarmPool pool, PoolSettings settings, Limits defaults, IntSupplier room, NodeClock clock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(PERIODIC, Look.DUE, settings.interval());
            return new PoolKeeper(context, timers, pool, settings, defaults, room, clock);
        }));
    }

    private PoolKeeper(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            WarmPool pool,
            PoolSettings settings,
            Limits defaults,
            IntSupplier room,
            NodeClock clock) {
        super(context);
        this.self = context.getSelf();
        this.timers = timers;
        this.pool = pool;
        this.settings = settings;
        this.room = room;
        this.clock = clock;
        for (PoolSettings.Floor floor : settings.floors()) {
            SandboxTemplate any = new SandboxTemplate(floor.image(), floor.isolation(), defaults, Optional.empty());
            pool.kind(any, floor.link())
                    .ifPresent(kind -> kinds.put(kind, new Kind(floor.waiting(), clock.nanos(), settings.retryMin())));
        }
        pool.open(kind -> self.tell(new Taken(kind)));
        fill();
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessageEquals(Look.DUE, this::onLook)
                .onMessage(Taken.class, this::onTaken)
                .onMessage(Made.class, this::onMade)
                .onMessage(NotMade.class, this::onNotMade)
                .onSignal(PostStop.class, stopped -> {
                    pool.close();
                    return this;
                })
                .build();
    }

    private Behavior<Command> onTaken(Taken taken) {
        Kind kind = kinds.computeIfAbsent(taken.kind, any -> new Kind(0, clock.nanos(), settings.retryMin()));
        age(kind);
        kind.demand = kind.demand.taken();
        kind.takenNanos = clock.nanos();
        fill();
        return this;
    }

    private Behavior<Command> onLook() {
        long oldest = clock.nanos() - settings.ageMax().toNanos();
        kinds.forEach((id, kind) -> {
            age(kind);
            pool.giveUpBefore(id, oldest);
        });
        fill();
        kinds.entrySet()
                .removeIf(entry -> entry.getValue().floor == 0
                        && entry.getValue().making == 0
                        && entry.getValue().demand.isOver()
                        && pool.waiting(entry.getKey()) == 0);
        return this;
    }

    private void age(Kind kind) {
        double perSecond = settings.createsMax() * Duration.ofSeconds(1).toNanos() / makeNanos;
        kind.demand = kind.demand.at(clock.nanos(), perSecond, settings.halfLife());
    }

    private void fill() {
        int ceiling = Math.max(0, Math.min(settings.ceiling(), room.getAsInt()));
        pool.limit(ceiling);
        List<Shelf<PoolKind>> shelves = new ArrayList<>();
        kinds.forEach((id, kind) -> shelves.add(new Shelf<>(
                id, kind.floor, kind.demand.sandboxes(), pool.waiting(id), kind.making, mayMake(id, kind))));
        Next<PoolKind> next = PoolPlan.next(shelves, ceiling, settings.createsMax());
        next.giveUp().forEach(pool::giveUp);
        next.make().forEach(this::make);
    }

    /** A burst of runs needs the processors itself; what it took is replaced when it is over, or half of it is. */
    private boolean mayMake(PoolKind id, Kind kind) {
        long now = clock.nanos();
        boolean isBurst = now - kind.takenNanos < settings.settle().toNanos()
                && 2 * pool.waiting(id) > Math.max(kind.floor, kind.demand.sandboxes());
        if (isBurst) {
            timers.startSingleTimer(Look.DUE, settings.settle());
        }
        return kind.notBeforeNanos - now <= 0 && !isBurst;
    }

    private void make(PoolKind id) {
        kind(id).making++;
        long begun = clock.nanos();
        getContext()
                .pipeToSelf(
                        pool.make(id, begun, () -> self.tell(Look.DUE)),
                        (made, failure) ->
                                failure == null ? new Made(id, clock.nanos() - begun) : new NotMade(id, failure));
    }

    private Kind kind(PoolKind id) {
        return kinds.computeIfAbsent(id, any -> new Kind(0, clock.nanos(), settings.retryMin()));
    }

    private Behavior<Command> onMade(Made made) {
        Kind kind = kind(made.kind);
        kind.making--;
        kind.retry = settings.retryMin();
        makeNanos += NEWEST * (made.nanos - makeNanos);
        fill();
        return this;
    }

    /** A run of this kind fails in the same way and says so to its user. */
    private Behavior<Command> onNotMade(NotMade failed) {
        Kind kind = kind(failed.kind);
        kind.making--;
        kind.notBeforeNanos = clock.nanos() + kind.retry.toNanos();
        if (kind.floor > 0) {
            getContext()
                    .getLog()
                    .warn(
                            "No sandbox of {} could be made ready; tried again in {} s: {}",
                            failed.kind.template().image(),
                            kind.retry.toSeconds(),
                            failed.why.getMessage());
        } else {
            kind.demand = Demand.none(clock.nanos());
        }
        Duration doubled = kind.retry.multipliedBy(2);
        kind.retry = doubled.compareTo(settings.retryMax()) < 0 ? doubled : settings.retryMax();
        fill();
        return this;
    }
}
