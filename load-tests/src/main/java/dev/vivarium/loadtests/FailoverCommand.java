package dev.vivarium.loadtests;

import dev.vivarium.loadtests.history.Failover;
import dev.vivarium.loadtests.history.FailoverTrial;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench failover}. */
@Command(
        name = "failover",
        description = {
            "How long runs stand still when the node that holds them is killed with -9.",
            "A cluster of three nodes and a Cassandra on this machine, each node with as many live runs. Measured from the kill"
                    + " until each run's next attempt runs on another node, and until the dead node's sandboxes are"
                    + " gone."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Example, as if each node's machine failed with it, and with a faster failure detector:",
            "  vivarium bench failover --set vivarium.cluster.detector.crash-probe=0 \\",
            "    --set vivarium.cluster.detector.interval=200ms \\",
            "    --set vivarium.cluster.detector.pause=1s --set vivarium.cluster.split-brain.stable-after=2s"
        })
final class FailoverCommand implements Callable<Integer> {
    private static final int NODES = 3;
    private static final int RUNS_MAX = 500;
    private static final int KILLS_MAX = 100;
    private static final String LIVE_MAX = "vivarium.run.live-max";

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Option(
            names = "--runs",
            defaultValue = "50",
            description = "Approximate number of live runs on each node at a kill (default: ${DEFAULT-VALUE}).")
    private int runs = 50;

    @Option(
            names = "--repeat",
            paramLabel = "KILLS",
            defaultValue = "3",
            description = "Number of kills, of each node in turn; each is started again (default: ${DEFAULT-VALUE}).")
    private int kills = 3;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A key of all nodes' configuration; may be repeated.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Override
    public Integer call() throws IOException {
        if (runs < 1 || runs > RUNS_MAX || kills < 1 || kills > KILLS_MAX) {
            throw setting.refusal("--runs is from 1 to " + RUNS_MAX + ", and --repeat from 1 to " + KILLS_MAX + ".");
        }
        Map<String, String> config = new LinkedHashMap<>();
        // So that the surviving nodes have room for the others' runs.
        config.put(LIVE_MAX, Integer.toString(NODES * runs));
        config.putAll(driver.settings());
        config.putAll(settings);
        setting.engine();
        setting.print("settings " + described(config) + "\n");
        FailoverTrial.Report report = new FailoverTrial(
                        new FailoverTrial.Setup(cluster.site(setting), NODES, setting.image(), config),
                        setting::progress)
                .measure(kills, runs);
        setting.driver(report.driver());
        setting.printLoad();
        setting.print("\n" + table(report.failovers()) + "\n" + parts(report.failovers()) + "\n" + alarms(report));
        return 0;
    }

    private static String described(Map<String, String> config) {
        return config.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(", ", "", "; else as shipped"));
    }

    static String table(List<Failover> failovers) {
        TextTable table = headed("after the kill, ms");
        row(table, "a peer misses the node", failovers, failover -> List.of(failover.missed()));
        row(table, "the peers give it up", failovers, failover -> List.of(failover.givenUp()));
        row(table, "it is no member any more", failovers, failover -> List.of(failover.removed()));
        row(table, "a run's attempt is over", failovers, each(Failover.Move::interrupted));
        row(table, "its next attempt begins", failovers, each(Failover.Move::starting));
        row(table, "its agent runs elsewhere", failovers, each(Failover.Move::started));
        row(table, "the last agent of the node", failovers, last(each(Failover.Move::started)));
        row(table, "a sandbox of it has no process", failovers, eachLoss(Failover.Loss::empty));
        row(table, "the last of them", failovers, last(eachLoss(Failover.Loss::empty)));
        Function<Failover, List<Duration>> ended = failover -> failover.losses().stream()
                .flatMap(loss -> loss.ended().stream())
                .toList();
        if (failovers.stream().noneMatch(failover -> ended.apply(failover).isEmpty())) {
            row(table, "it has ended for the engine", failovers, ended);
            row(table, "the last of them", failovers, last(ended));
        }
        row(table, "all of it is removed", failovers, eachLoss(Failover.Loss::removed));
        row(table, "the last of them", failovers, last(eachLoss(Failover.Loss::removed)));
        return table.render();
    }

    /** The components of the time until an agent runs elsewhere. */
    static String parts(List<Failover> failovers) {
        TextTable table = headed("of that, ms");
        row(table, "probe or detector", failovers, failover -> List.of(failover.missed()));
        row(
                table,
                "stable-after",
                failovers,
                failover -> List.of(failover.givenUp().minus(failover.missed())));
        row(
                table,
                "margin and removal",
                failovers,
                failover -> List.of(failover.removed().minus(failover.givenUp())));
        row(table, "shards and runs move", failovers, failover -> failover.moves().stream()
                .map(move -> move.interrupted().minus(failover.removed()))
                .toList());
        row(table, "place and journal", failovers, each(move -> move.starting().minus(move.interrupted())));
        row(table, "sandbox and agent start", failovers, each(move -> move.started()
                .minus(move.starting())));
        return table.render();
    }

    static String alarms(FailoverTrial.Report report) {
        int disturbed =
                report.failovers().stream().mapToInt(Failover::disturbed).sum();
        return "false alarms (a node missed a peer that lived): " + report.falseAlarms() + " in "
                + report.watched().toSeconds() + " s; runs of other nodes that lost their sandboxes: " + disturbed
                + "\n";
    }

    private static TextTable headed(String what) {
        return new TextTable(what, "of", "min", "p50", "p99", "max");
    }

    private static Function<Failover, List<Duration>> each(Function<Failover.Move, Duration> time) {
        return failover -> failover.moves().stream().map(time).toList();
    }

    private static Function<Failover, List<Duration>> eachLoss(Function<Failover.Loss, Duration> time) {
        return failover -> failover.losses().stream().map(time).toList();
    }

    private static Function<Failover, List<Duration>> last(Function<Failover, List<Duration>> times) {
        return failover -> List.of(new Series(times.apply(failover)).max());
    }

    private static void row(
            TextTable table, String what, List<Failover> failovers, Function<Failover, List<Duration>> times) {
        Series series = new Series(
                failovers.stream().flatMap(one -> times.apply(one).stream()).toList());
        table.row(
                what,
                Integer.toString(series.rounds().size()),
                Figures.millis(series.min()),
                Figures.millis(series.percentile(50)),
                Figures.millis(series.percentile(99)),
                Figures.millis(series.max()));
    }
}
