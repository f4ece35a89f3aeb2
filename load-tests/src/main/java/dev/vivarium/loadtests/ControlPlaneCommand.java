package dev.vivarium.loadtests;

import dev.vivarium.loadtests.history.ControlPlaneTrial;
import dev.vivarium.loadtests.history.ControlPlaneTrial.Slice;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Medians;
import dev.vivarium.loadtests.report.TextTable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench control-plane}. */
@Command(
        name = "control-plane",
        description = {
            "Runs acknowledged per second by nodes that start nothing (vivarium.driver.kind idle), on a Cassandra of this"
                    + "machine, and runs per second up to their ends;",
            "compared with the events per second that the same Cassandra takes from writers that do what a journal does and"
                    + " nothing else."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ControlPlaneCommand implements Callable<Integer> {
    private static final int NODES_MAX = 9;
    private static final int IN_FLIGHT_MAX = 1_000;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = "--nodes",
            defaultValue = "1,3",
            split = ",",
            description = "Cluster sizes, measured in turn (default: ${DEFAULT-VALUE}).")
    private List<Integer> nodes = List.of(1, 3);

    @Option(
            names = "--in-flight",
            defaultValue = "8,32",
            split = ",",
            description = "Numbers of concurrent submissions to try (default: ${DEFAULT-VALUE}).")
    private List<Integer> inFlight = List.of(8, 32);

    @Option(
            names = "--slice",
            defaultValue = "10",
            description = "Length of a slice in seconds (default: ${DEFAULT-VALUE}).")
    private int sliceSeconds = 10;

    @Option(
            names = "--warm-up",
            defaultValue = "120",
            description = "Seconds of load before measuring, to warm up (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds = 120;

    @Option(names = "--rounds", defaultValue = "3", description = "Slices of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Override
    public Integer call() throws IOException {
        if (rounds < 1
                || sliceSeconds < 1
                || warmUpSeconds < 1
                || inFlight.stream().anyMatch(count -> count < 1 || count > IN_FLIGHT_MAX)
                || nodes.stream().anyMatch(count -> count < 1 || count > NODES_MAX)) {
            throw setting.refusal("--nodes are from 1 to " + NODES_MAX + ", --in-flight from 1 to " + IN_FLIGHT_MAX
                    + ", and --slice, --warm-up and --rounds at least 1.");
        }
        setting.engine();
        setting.idleDriver();
        Map<Integer, ControlPlaneTrial.Report> reports = new LinkedHashMap<>();
        for (int size : nodes) {
            reports.put(
                    size,
                    new ControlPlaneTrial(
                                    new ControlPlaneTrial.Setup(
                                            cluster.site(setting),
                                            size,
                                            Map.of("vivarium.driver.kind", "idle", "vivarium.run.live-max", "100000")),
                                    setting::progress)
                            .measure(
                                    inFlight,
                                    Duration.ofSeconds(warmUpSeconds),
                                    Duration.ofSeconds(sliceSeconds),
                                    rounds));
        }
        setting.printLoad();
        setting.print(rounds + " slices of " + sliceSeconds + " s each, after " + warmUpSeconds
                + " s of warm-up; medians of slices\n\n");
        setting.print(table(reports));
        return 0;
    }

    static String table(Map<Integer, ControlPlaneTrial.Report> reports) {
        TextTable table = new TextTable(
                "nodes",
                "at once",
                "acknowledged/s",
                "p50 ms",
                "p99 ms",
                "refused",
                "to the end/s",
                "of the journal's");
        StringBuilder journals = new StringBuilder();
        reports.forEach((size, report) -> {
            kinds(report)
                    .forEach((many, slices) -> table.row(
                            size.toString(),
                            many.toString(),
                            Figures.perSecond(Medians.of(slices.stream()
                                    .map(Slice::acknowledgedPerSecond)
                                    .toList())),
                            millis(slices, 50),
                            millis(slices, 99),
                            Integer.toString(
                                    slices.stream().mapToInt(Slice::refused).sum()),
                            Figures.perSecond(Medians.of(
                                    slices.stream().map(Slice::endedPerSecond).toList())),
                            Figures.ratio(Medians.of(slices.stream()
                                            .map(Slice::endedPerSecond)
                                            .toList())
                                    * ControlPlaneTrial.EVENTS_OF_A_RUN
                                    / report.journalPerSecond())));
            journals.append("the journal alone, beside ")
                    .append(size)
                    .append(size == 1 ? " node: " : " nodes: ")
                    .append(Figures.perSecond(report.journalPerSecond()))
                    .append(" events a second; a run has ")
                    .append(ControlPlaneTrial.EVENTS_OF_A_RUN)
                    .append('\n');
        });
        return table.render() + "\n" + journals;
    }

    private static Map<Integer, List<Slice>> kinds(ControlPlaneTrial.Report report) {
        Map<Integer, List<Slice>> kinds = new LinkedHashMap<>();
        report.slices().forEach(slice -> kinds.computeIfAbsent(slice.inFlight(), first -> new ArrayList<>())
                .add(slice));
        return kinds;
    }

    private static String millis(List<Slice> slices, int percent) {
        return Figures.millis(Duration.ofNanos(Math.round(Medians.of(slices.stream()
                .map(slice -> slice.answers().percentile(percent).toNanos())
                .toList()))));
    }
}
