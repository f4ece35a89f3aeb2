package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.InFlight;
import dev.vivarium.loadtests.subject.Kernel;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench sampling}. */
@Command(
        name = "sampling",
        description = {
            "What monitoring the sandboxes' resource use costs a node:",
            "the processor time of its process with many live runs, at the default interval and without monitoring, each"
                    + " on a node of its own. Compared with reading containers once through the engine's statistics."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SamplingCommand implements Callable<Integer> {
    private static final String NEVER = "1h";
    private static final int STATS_ROUNDS = 10;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Option(names = "--sandboxes", defaultValue = "500", description = "Live runs (default: ${DEFAULT-VALUE}).")
    private int sandboxes = 500;

    @Option(
            names = "--interval",
            defaultValue = "250ms",
            description = "The sampling interval (default: ${DEFAULT-VALUE}).")
    private String interval = "250ms";

    @Option(
            names = "--seconds",
            defaultValue = "10",
            description = "Length of each of the five measurements (default: ${DEFAULT-VALUE}).")
    private int seconds = 10;

    @Option(
            names = "--settle",
            defaultValue = "30",
            description = "Seconds of warm-up before them (default: ${DEFAULT-VALUE}).")
    private int settleSeconds = 30;

    @Option(
            names = "--in-flight",
            defaultValue = "4",
            description = "How many are started concurrently (default: ${DEFAULT-VALUE}).")
    private int inFlight = 4;

    @Override
    public Integer call() throws IOException {
        if (sandboxes < 1 || seconds < 1 || settleSeconds < 0 || inFlight < 1) {
            throw setting.refusal("--sandboxes, --seconds and --in-flight are at least 1.");
        }
        EngineApi engine = setting.engine();
        List<Duration> stats = new ArrayList<>();
        Series without = measure(NEVER, engine, stats);
        Series with = measure(interval, engine, new ArrayList<>());
        setting.printLoad();
        setting.print(sandboxes + " live runs that sleep; medians of five times " + seconds + " s, after "
                + settleSeconds + " s\n\n");
        setting.print(table(with, without));
        Series asked = new Series(stats);
        setting.print("\nengine's statistics, one look at a container: p50 " + Figures.millis(asked.median())
                + " ms, max " + Figures.millis(asked.max()) + " ms\n");
        return 0;
    }

    private Series measure(String every, EngineApi engine, List<Duration> stats) throws IOException {
        Map<String, String> config = new TreeMap<>(driver.settings());
        config.put("vivarium.sandbox.sample-interval", every);
        config.put("vivarium.run.live-max", Integer.toString(sandboxes + 1));
        try (NodeProcess node = NodeOption.start(setting, config)) {
            VivariumApi api = new VivariumApi(node.uri());
            Workload sleeper = new Workload(setting.image(), List.of("sleep", "7200"));
            setting.progress("starting " + sandboxes + " runs on a node that looks every " + every);
            InFlight.all(sandboxes, inFlight, index -> {
                RunId run = api.submit(sleeper, Map.of("wallClock", "3h", "idle", "3h"));
                api.awaitRunning(run);
                return run;
            });
            Pauses.millis(Duration.ofSeconds(settleSeconds).toMillis());
            List<Duration> perSecond = new ArrayList<>();
            for (int window = 0; window < 5; window++) {
                perSecond.add(processorTimeOfASecond(node.pid()));
            }
            stats.addAll(looks(engine, sleeper));
            return new Series(perSecond);
        }
    }

    private Duration processorTimeOfASecond(long pid) throws IOException {
        long began = System.nanoTime();
        Duration before = Kernel.processorTime(pid);
        Pauses.millis(Duration.ofSeconds(seconds).toMillis());
        double took = (System.nanoTime() - began) / 1e9;
        return Duration.ofNanos(
                Math.round(Kernel.processorTime(pid).minus(before).toNanos() / took));
    }

    /** Once at each of some containers of the engine's own, since it knows no sandbox of the driver oci. */
    private static List<Duration> looks(EngineApi engine, Workload sleeper) throws IOException {
        List<Duration> looks = new ArrayList<>();
        for (int round = 0; round < STATS_ROUNDS; round++) {
            // A second look at the same one waits for the engine's own next sample.
            String container = engine.create(sleeper.container());
            try {
                engine.start(container);
                long began = System.nanoTime();
                engine.stats(container);
                looks.add(Duration.ofNanos(System.nanoTime() - began));
            } finally {
                engine.remove(container);
            }
        }
        return looks;
    }

    private String table(Series with, Series without) {
        TextTable table = new TextTable("a look every", "share of a core", "min", "max", "of it for one sandbox");
        row(table, NEVER, without);
        row(table, interval, with);
        Duration looks = with.median().minus(without.median());
        return table.row("the looks alone", share(looks), "", "", each(looks)).render();
    }

    private void row(TextTable table, String every, Series series) {
        Duration median = series.median();
        table.row(every, share(median), share(series.min()), share(series.max()), each(median));
    }

    private static String share(Duration ofASecond) {
        return String.format(Locale.ROOT, "%.1f %%", ofASecond.toNanos() / 1e7);
    }

    private String each(Duration ofASecond) {
        return String.format(Locale.ROOT, "%.4f %%", ofASecond.toNanos() / 1e7 / sandboxes);
    }
}
