package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.Arrivals;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.ProcessorTimes;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench burst}. */
@Command(
        name = "burst",
        description = {
            "How long runs wait for their first byte and their end when they come one after another, at intervals, and"
                    + " all at once:",
            "on a node whose pool has a sandbox for each, and on one without a pool."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BurstCommand implements Callable<Integer> {
    /** For the pool to fill: one sandbox in this time, on a slow machine. */
    private static final Duration FILL_EACH_MAX = Duration.ofSeconds(1);

    /** For what follows the runs' ends: removal, refill of the pool, writes behind. */
    private static final Duration AFTERMATH = Duration.ofSeconds(1);

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Mixin
    private final WorkloadOptions options = new WorkloadOptions();

    @Option(names = "--runs", defaultValue = "100", description = "Runs of each shape (default: ${DEFAULT-VALUE}).")
    private int runs = 100;

    @Option(
            names = "--every",
            defaultValue = "50",
            description = "Milliseconds between two staggered runs (default: ${DEFAULT-VALUE}).")
    private int everyMillis = 50;

    @Option(names = "--rounds", defaultValue = "3", description = "Bursts (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Option(
            names = "--warm-up",
            defaultValue = "300",
            description = "Runs before those that count (default: ${DEFAULT-VALUE}).")
    private int warmUp = 300;

    @Option(
            names = "--network",
            paramLabel = "MODE",
            defaultValue = "none",
            description = "The network of the runs: none or public (default: ${DEFAULT-VALUE}).")
    private String network = "none";

    @Override
    public Integer call() throws IOException {
        if (runs < 1 || everyMillis < 1 || rounds < 1 || warmUp < 0) {
            throw setting.refusal("--runs, --every and --rounds are at least 1, and --warm-up not negative.");
        }
        Workload workload = options.workload(setting.image());
        setting.engine();
        TextTable table = new TextTable(
                "shape",
                "pool",
                "first byte p50",
                "p90",
                "p99",
                "last",
                "end p50",
                "p99",
                "all ended",
                "warm",
                "CPU a run");
        measure(workload, runs, table);
        measure(workload, 0, table);
        setting.printLoad();
        setting.print(
                "command  " + String.join(" ", workload.command()) + ", in " + workload.image() + ", network "
                        + network + "; " + runs + " runs of each shape, " + rounds + " bursts, after " + warmUp
                        + " others; milliseconds. CPU: of the node, its database, and all that it started, with removal and refill\n\n");
        setting.print(table.render());
        return 0;
    }

    private void measure(Workload workload, int pool, TextTable table) throws IOException {
        Map<String, String> settings = new TreeMap<>(driver.settings());
        settings.put("vivarium.pool.ceiling", Integer.toString(pool));
        settings.put("vivarium.run.live-max", Integer.toString(2 * runs));
        if (pool > 0) {
            settings.put("vivarium.pool.floors.0.image", workload.image());
            settings.put("vivarium.pool.floors.0.isolation", "container");
            settings.put("vivarium.pool.floors.0.network", network);
            settings.put("vivarium.pool.floors.0.waiting", Integer.toString(pool));
        }
        try (NodeProcess node = NodeOption.start(setting, settings)) {
            VivariumApi api = new VivariumApi(node.uri());
            Arrivals arrivals = new Arrivals(api, workload.submission(network));
            arrivals.each(warmUp, 4);
            report(
                    table,
                    "one at a time",
                    pool,
                    node,
                    1,
                    () -> arrivals.each(runs, 1, () -> awaitPool(api, Math.min(1, pool))));
            report(table, "one each " + everyMillis + " ms", pool, node, 1, () -> {
                awaitPool(api, pool);
                return arrivals.staggered(runs, Duration.ofMillis(everyMillis));
            });
            report(table, runs + " at once", pool, node, rounds, () -> {
                awaitPool(api, pool);
                return arrivals.staggered(runs, Duration.ZERO);
            });
        }
    }

    /** One shape of arrivals, once. */
    private interface Shape {
        Arrivals.Times once() throws IOException;
    }

    private void report(TextTable table, String name, int pool, NodeProcess node, int rounds, Shape shape)
            throws IOException {
        VivariumApi api = new VivariumApi(node.uri());
        List<Duration> firstBytes = new ArrayList<>();
        List<Duration> ends = new ArrayList<>();
        List<Duration> walls = new ArrayList<>();
        long warmBefore = api.pool().path("warm").asLong();
        ProcessorTimes before = ProcessorTimes.of(node.pid());
        for (int round = 0; round < rounds; round++) {
            Arrivals.Times times = shape.once();
            firstBytes.addAll(times.firstBytes());
            ends.addAll(times.ends());
            walls.add(times.wall());
        }
        long warm = api.pool().path("warm").asLong() - warmBefore;
        awaitPool(api, pool);
        Pauses.millis(AFTERMATH.toMillis());
        Duration used = ProcessorTimes.of(node.pid()).since(before).total();
        Series first = new Series(firstBytes);
        Series end = new Series(ends);
        table.row(
                name,
                Integer.toString(pool),
                Figures.millis(first.median()),
                Figures.millis(first.percentile(90)),
                Figures.millis(first.percentile(99)),
                Figures.millis(first.max()),
                Figures.millis(end.median()),
                Figures.millis(end.percentile(99)),
                Figures.millis(new Series(walls).median()),
                warm + " of " + firstBytes.size(),
                Figures.millis(used.dividedBy(firstBytes.size())));
    }

    private void awaitPool(VivariumApi api, int waiting) throws IOException {
        api.awaitPool(waiting, FILL_EACH_MAX.multipliedBy(Math.max(10, waiting)));
    }
}
