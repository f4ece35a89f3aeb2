package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import dev.vivarium.node.admission.LimitPolicy;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.node.pool.PoolKeeper;
import dev.vivarium.node.pool.PoolSettings;
import dev.vivarium.node.pool.WarmPool;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/** Starts the keeper of a node's pool, and its metrics. */
final class PoolOfNode {
    private static final String STARTS = "vivarium.sandboxes.started";

    private PoolOfNode() {}

    /** @param vivarium the block of that name */
    static void start(
            ActorSystem<?> system,
            WarmPool pool,
            Config vivarium,
            NodeSlots slots,
            Drain drain,
            NodeClock clock,
            MeterRegistry metrics) {
        PoolSettings settings = PoolSettings.from(vivarium.getConfig("pool"));
        if (settings.ceiling() > 0) {
            system.systemActorOf(
                    PoolKeeper.create(
                            pool,
                            settings,
                            LimitPolicy.from(vivarium.getConfig("limits")).defaults(),
                            () -> room(slots, drain),
                            clock),
                    "vivarium-pool",
                    Props.empty());
        }
        metrics.gauge("vivarium.pool.waiting", pool, WarmPool::waiting);
        metrics.gauge("vivarium.pool.ceiling", pool, WarmPool::ceiling);
        FunctionCounter.builder(STARTS, pool, WarmPool::warm)
                .tag("start", "warm")
                .register(metrics);
        FunctionCounter.builder(STARTS, pool, WarmPool::cold)
                .tag("start", "cold")
                .register(metrics);
    }

    /** A sandbox that waits takes next to nothing, but each is to become a run's. */
    private static int room(NodeSlots slots, Drain drain) {
        if (drain.isDraining()) {
            return 0;
        }
        long free = slots.capacity().runs() - slots.count().holding();
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, free));
    }
}
