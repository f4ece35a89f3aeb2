package dev.vivarium.node.run;

import dev.vivarium.node.placement.NodeSlots;
import dev.vivarium.protocol.run.RunState;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;

/** Counters of runs, named as in the API. */
public final class RunMetrics {
    private final MeterRegistry registry;
    private final Counter submitted;

    public RunMetrics(MeterRegistry registry, NodeSlots slots) {
        this.registry = registry;
        this.submitted = Counter.builder("vivarium.runs.submitted")
                .description("Runs that were accepted by this node.")
                .register(registry);
        registry.gauge("vivarium.runs.live", slots, NodeSlots::holding);
        registry.gauge("vivarium.runs.waiting", slots, NodeSlots::waiting);
    }

    void submitted() {
        submitted.increment();
    }

    void ended(RunState.Finished run) {
        Counter.builder("vivarium.runs.ended")
                .description("Runs that ended on this node, by status and reason.")
                .tag("status", run.status().name().toLowerCase(Locale.ROOT))
                .tag(
                        "reason",
                        run.reason()
                                .map(reason -> reason.name().toLowerCase(Locale.ROOT))
                                .orElse("none"))
                .register(registry)
                .increment();
    }
}
