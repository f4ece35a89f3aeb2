package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Medians;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.JwtIssuer;
import dev.vivarium.loadtests.subject.SubmissionTrial;
import dev.vivarium.loadtests.subject.SubmissionTrial.Slice;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench submissions}. */
@Command(
        name = "submissions",
        description = {
            "Durable submissions to one node that starts nothing (vivarium.driver.kind idle), on its embedded store:"
                    + " how soon and how many per second",
            "are acknowledged, how many come to their ends, the processor time that node and database use for one, and",
            "how long the node takes, of each, to know by its proof who submits (mean)."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SubmissionsCommand implements Callable<Integer> {
    private static final int IN_FLIGHT_MAX = 1_000;

    /** More than are ever live, so that nothing is refused. */
    private static final Map<String, String> STARTS_NOTHING =
            Map.of("vivarium.driver.kind", "idle", "vivarium.run.live-max", "100000");

    /** What callers present. */
    enum Proof {
        TOKEN("token"),
        JWT("JWT");

        private final String title;

        Proof(String title) {
            this.title = title;
        }
    }

    @Mixin
    private final Setting setting = new Setting();

    @Option(
            names = "--in-flight",
            defaultValue = "1,16,64",
            split = ",",
            description = "Numbers of concurrent submissions (default: ${DEFAULT-VALUE}).")
    private List<Integer> inFlight = List.of(1, 16, 64);

    @Option(
            names = "--proof",
            defaultValue = "token",
            description =
                    "What callers present: a token of the node's, or the jwt (RS256) of an OpenID Connect issuer on this"
                            + " machine (default: ${DEFAULT-VALUE}).")
    private Proof proof = Proof.TOKEN;

    @Option(
            names = "--slice",
            defaultValue = "10",
            description = "Length of a slice in seconds (default: ${DEFAULT-VALUE}).")
    private int sliceSeconds = 10;

    @Option(
            names = "--warm-up",
            defaultValue = "60",
            description = "Seconds of load before measuring, to warm up (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds = 60;

    @Option(names = "--rounds", defaultValue = "3", description = "Slices of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Override
    public Integer call() throws IOException {
        if (rounds < 1
                || sliceSeconds < 1
                || warmUpSeconds < 1
                || inFlight.stream().anyMatch(count -> count < 1 || count > IN_FLIGHT_MAX)) {
            throw setting.refusal(
                    "--in-flight are from 1 to " + IN_FLIGHT_MAX + ", and --slice, --warm-up and --rounds at least 1.");
        }
        setting.machine();
        setting.idleDriver();
        List<Slice> slices = new ArrayList<>();
        try (JwtIssuer issuer = JwtIssuer.start();
                NodeProcess node = NodeOption.startIdle(setting, configuration(issuer))) {
            Workload workload = new Workload(setting.image(), List.of("true"));
            SubmissionTrial trial = proof == Proof.TOKEN
                    ? SubmissionTrial.withToken(node.uri(), node.pid(), workload)
                    : SubmissionTrial.with(issuer.token(), node.uri(), node.pid(), workload);
            setting.progress("warming up");
            trial.submit(Collections.max(inFlight), Duration.ofSeconds(warmUpSeconds));
            for (int round = 1; round <= rounds; round++) {
                for (int many : inFlight) {
                    setting.progress("round " + round + ": " + many + " at once");
                    slices.add(trial.submit(many, Duration.ofSeconds(sliceSeconds)));
                }
            }
        }
        setting.printLoad();
        setting.print(rounds + " slices of " + sliceSeconds + " s each, after " + warmUpSeconds
                + " s of warm-up; callers present a " + proof.title + "; medians of slices\n\n");
        setting.print(table(slices));
        return 0;
    }

    private static Map<String, String> configuration(JwtIssuer issuer) {
        Map<String, String> settings = new HashMap<>(STARTS_NOTHING);
        settings.putAll(issuer.configuration());
        return settings;
    }

    static String table(List<Slice> slices) {
        TextTable table = new TextTable(
                "at once",
                "p50 ms",
                "p99 ms",
                "acknowledged/s",
                "to the end/s",
                "refused",
                "node CPU ms a run",
                "PostgreSQL CPU ms a run",
                "caller known ms");
        Map<Integer, List<Slice>> kinds = new LinkedHashMap<>();
        slices.forEach(slice -> kinds.computeIfAbsent(slice.inFlight(), first -> new ArrayList<>())
                .add(slice));
        kinds.forEach((many, some) -> table.row(
                many.toString(),
                millis(some, 50),
                millis(some, 99),
                Figures.perSecond(median(some, Slice::acknowledgedPerSecond)),
                Figures.perSecond(median(some, Slice::endedPerSecond)),
                Integer.toString(some.stream().mapToInt(Slice::refused).sum()),
                hundredths(median(some, Slice::nodeMillisPerRun)),
                hundredths(median(some, Slice::postgresMillisPerRun)),
                String.format(
                        Locale.ROOT,
                        "%.3f",
                        median(some, slice -> slice.authenticating().toNanos() / 1e6))));
        return table.render();
    }

    private static double median(List<Slice> slices, ToDoubleFunction<Slice> figure) {
        return Medians.of(slices.stream().map(figure::applyAsDouble).toList());
    }

    private static String millis(List<Slice> slices, int percent) {
        return hundredths(
                median(slices, slice -> slice.answers().percentile(percent).toNanos() / 1e6));
    }

    private static String hundredths(double figure) {
        return String.format(Locale.ROOT, "%.2f", figure);
    }
}
