package dev.vivarium.loadtests;

import dev.vivarium.loadtests.history.LiveRunsTrial;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.TextTable;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench live-runs}. */
@Command(
        name = "live-runs",
        description = {
            "A live run's cost in heap, and how long after a node's death the other nodes have taken over all its runs,"
                    + " killed with -9,",
            "in a cluster of nodes that start nothing (vivarium.driver.kind idle), on a Cassandra of this machine."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LiveRunsCommand implements Callable<Integer> {
    private static final int NODES_MAX = 9;
    private static final int RUNS_MAX = 1_000_000;
    /** The largest file that fits into a body with the default limits. */
    private static final int FILE_BYTES_MAX = 8_000_000;

    private static final double KIB = 1024;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Option(names = "--nodes", defaultValue = "3", description = "Number of nodes (default: ${DEFAULT-VALUE}).")
    private int nodes = 3;

    @Option(
            names = "--runs",
            defaultValue = "5000",
            description = "Total number of live runs (default: ${DEFAULT-VALUE}).")
    private int runs = 5_000;

    @Option(
            names = "--file-bytes",
            defaultValue = "0",
            description = "Size of each run's file, at most 8000000 (default: ${DEFAULT-VALUE}).")
    private int fileBytes;

    @Override
    public Integer call() throws IOException {
        if (nodes < 2 || nodes > NODES_MAX || runs < nodes || runs > RUNS_MAX) {
            throw setting.refusal(
                    "--nodes is from 2 to " + NODES_MAX + ", and --runs from as many to " + RUNS_MAX + ".");
        }
        if (fileBytes < 0 || fileBytes > FILE_BYTES_MAX) {
            throw setting.refusal("--file-bytes is from 0 to " + FILE_BYTES_MAX + ".");
        }
        setting.engine();
        setting.idleDriver();
        LiveRunsTrial.Report report = new LiveRunsTrial(
                        new LiveRunsTrial.Setup(
                                cluster.site(setting),
                                nodes,
                                fileBytes,
                                Map.of(
                                        "vivarium.driver.kind",
                                        "idle",
                                        "vivarium.run.live-max",
                                        Integer.toString(RUNS_MAX),
                                        // Agents that do nothing need no monitoring.
                                        "vivarium.sandbox.sample-interval",
                                        "60s")),
                        setting::progress)
                .measure(runs);
        setting.printLoad();
        setting.print("\n" + table(report));
        return 0;
    }

    static String table(LiveRunsTrial.Report report) {
        TextTable table = new TextTable("node", "live runs", "heap before MiB", "heap with them MiB", "KiB a run");
        report.held()
                .forEach(held -> table.row(
                        held.node(),
                        Integer.toString(held.runs()),
                        tenths(held.heapBefore() / KIB / KIB),
                        tenths(held.heapAfter() / KIB / KIB),
                        tenths(held.heapPerRun() / KIB)));
        return table.render() + "\nall were live after " + report.filling().toSeconds() + " s\na node with "
                + report.lost()
                + " of them was killed: half were live elsewhere after " + Figures.millis(report.half())
                + " ms, all after " + Figures.millis(report.all()) + " ms\n";
    }

    private static String tenths(double figure) {
        return String.format(Locale.ROOT, "%.1f", figure);
    }
}
