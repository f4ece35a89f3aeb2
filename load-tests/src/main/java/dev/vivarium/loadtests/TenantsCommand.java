package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Medians;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.TenantFlood;
import dev.vivarium.loadtests.subject.TenantFlood.Beside;
import dev.vivarium.loadtests.subject.TenantFlood.Slice;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench tenants}. */
@Command(
        name = "tenants",
        description = {
            "How much longer a tenant's submissions take while another tenant floods the same node, which starts nothing",
            "(vivarium.driver.kind idle): alone, beside the flood, and beside one that a quota of submissions a second holds."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class TenantsCommand implements Callable<Integer> {
    private static final int CONNECTIONS_MAX = 500;

    /** More than are ever live, so that only quotas refuse. */
    private static final Map<String, String> STARTS_NOTHING =
            Map.of("vivarium.driver.kind", "idle", "vivarium.run.live-max", "100000");

    @Mixin
    private final Setting setting = new Setting();

    @Option(
            names = "--connections",
            defaultValue = "64",
            description = "Connections of the tenant that floods (default: ${DEFAULT-VALUE}).")
    private int connections = 64;

    @Option(
            names = "--quota",
            defaultValue = "20",
            description = "Its submissions a second where a quota holds it (default: ${DEFAULT-VALUE}).")
    private int quota = 20;

    @Option(
            names = "--pause",
            defaultValue = "10",
            description = "Milliseconds between submissions of the other tenant (default: ${DEFAULT-VALUE}).")
    private int pauseMillis = 10;

    @Option(
            names = "--slice",
            defaultValue = "10",
            description = "Length of a slice in seconds (default: ${DEFAULT-VALUE}).")
    private int sliceSeconds = 10;

    @Option(
            names = "--warm-up",
            defaultValue = "60",
            description = "Seconds of flood before measuring, to warm up (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds = 60;

    @Option(names = "--rounds", defaultValue = "3", description = "Slices of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Override
    public Integer call() throws IOException {
        if (connections < 1
                || connections > CONNECTIONS_MAX
                || quota < 1
                || pauseMillis < 1
                || sliceSeconds < 1
                || warmUpSeconds < 1
                || rounds < 1) {
            throw setting.refusal("--connections are from 1 to " + CONNECTIONS_MAX
                    + ", and --quota, --pause, --slice, --warm-up and --rounds at least 1.");
        }
        setting.machine();
        setting.idleDriver();
        List<Slice> slices = new ArrayList<>();
        try (NodeProcess node = NodeOption.startIdle(setting, STARTS_NOTHING)) {
            TenantFlood trial = new TenantFlood(
                    node.uri(), new Workload(setting.image(), List.of("true")), Duration.ofMillis(pauseMillis));
            setting.progress("warming up");
            trial.submit(Beside.FLOOD, connections, quota, Duration.ofSeconds(warmUpSeconds));
            for (int round = 1; round <= rounds; round++) {
                for (Beside beside : Beside.values()) {
                    setting.progress("round " + round + ": beside " + beside.title());
                    slices.add(trial.submit(beside, connections, quota, Duration.ofSeconds(sliceSeconds)));
                }
            }
        }
        setting.printLoad();
        setting.print(
                rounds + " slices of " + sliceSeconds + " s each, after " + warmUpSeconds + " s of warm-up; a flood of "
                        + connections + " connections, held at " + quota
                        + " submissions a second where a quota holds it; medians of"
                        + " slices\n\n");
        setting.print(table(slices));
        return 0;
    }

    static String table(List<Slice> slices) {
        TextTable table = new TextTable(
                "beside", "p50 ms", "p99 ms", "p99 to alone", "refused", "flood acknowledged/s", "flood refused/s");
        double alone = median(slices, Beside.NOBODY, slice -> millis(slice, 99));
        for (Beside beside : Beside.values()) {
            double p99 = median(slices, beside, slice -> millis(slice, 99));
            table.row(
                    beside.title(),
                    hundredths(median(slices, beside, slice -> millis(slice, 50))),
                    hundredths(p99),
                    Figures.ratio(p99 / alone),
                    Integer.toString(
                            of(slices, beside).stream().mapToInt(Slice::refused).sum()),
                    Figures.perSecond(median(slices, beside, Slice::flood)),
                    Figures.perSecond(median(slices, beside, Slice::floodRefused)));
        }
        return table.render();
    }

    private static List<Slice> of(List<Slice> slices, Beside beside) {
        return slices.stream().filter(slice -> slice.beside() == beside).toList();
    }

    private static double median(List<Slice> slices, Beside beside, ToDoubleFunction<Slice> figure) {
        return Medians.of(of(slices, beside).stream().map(figure::applyAsDouble).toList());
    }

    private static double millis(Slice slice, int percent) {
        return slice.answers().percentile(percent).toNanos() / 1e6;
    }

    private static String hundredths(double figure) {
        return String.format(Locale.ROOT, "%.2f", figure);
    }
}
