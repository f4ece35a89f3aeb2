package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.ClosedLoop;
import dev.vivarium.loadtests.subject.OpenLoop;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench overload}. */
@Command(
        name = "overload",
        description = {
            "What a node that starts nothing (vivarium.driver.kind idle) does with more submissions than it can take:",
            "the most that it accepts in a closed loop, and then submissions at multiples of that rate, whatever it"
                    + " answers."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class OverloadCommand implements Callable<Integer> {
    private static final int ACCEPTED = 202;
    private static final int TOO_MANY = 429;
    private static final int UNAVAILABLE = 503;
    private static final int FACTOR_MAX = 100;

    @Mixin
    private final Setting setting = new Setting();

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "A running node's address (default: a node is started for the benchmark, and stopped).")
    private @Nullable URI url;

    @Option(
            names = "--factors",
            defaultValue = "0.5,1,2,3,1",
            split = ",",
            description = "Multiples of the best rate, in this order (default: ${DEFAULT-VALUE}).")
    private List<Double> factors = List.of();

    @Option(
            names = "--in-flight",
            defaultValue = "64",
            description = "Concurrent submissions of the closed loop (default: ${DEFAULT-VALUE}).")
    private int inFlight = 64;

    @Option(
            names = "--slice",
            defaultValue = "15",
            description = "Length of each slice in seconds (default: ${DEFAULT-VALUE}).")
    private int sliceSeconds = 15;

    @Option(
            names = "--warm-up",
            defaultValue = "60",
            description = "Seconds of load before measuring, to warm up (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds = 60;

    @Override
    public Integer call() throws IOException {
        if (sliceSeconds < 1
                || warmUpSeconds < 1
                || inFlight < 1
                || factors.stream().anyMatch(factor -> factor <= 0 || factor > FACTOR_MAX)) {
            throw setting.refusal(
                    "--slice, --warm-up and --in-flight are at least 1, and --factors above 0 and at most " + FACTOR_MAX
                            + ".");
        }
        setting.engine();
        setting.idleDriver();
        if (url != null) {
            measure(url);
            return 0;
        }
        try (NodeProcess node = NodeOption.startIdle(
                setting, Map.of("vivarium.driver.kind", "idle", "vivarium.run.live-max", "100000"))) {
            measure(node.uri());
        }
        return 0;
    }

    private void measure(URI node) throws IOException {
        Workload workload = new Workload(setting.image(), List.of("true"));
        VivariumApi api = new VivariumApi(node);
        setting.progress("warming up");
        ClosedLoop.run(() -> api.submit(workload), inFlight, Duration.ofSeconds(warmUpSeconds));
        Duration length = Duration.ofSeconds(sliceSeconds);
        double best = ClosedLoop.run(() -> api.submit(workload), inFlight, length);
        setting.progress("best rate: " + Figures.perSecond(best) + " a second");
        OpenLoop load = new OpenLoop(node, workload.submission());
        TextTable table = headings();
        for (double factor : factors) {
            setting.progress("submitting at " + factor + " times that rate");
            OpenLoop.Slice slice = load.run(factor * best, length);
            row(table, Figures.ratio(factor), slice);
            unexpected(slice).forEach((what, count) -> setting.progress(count + " times: " + what));
        }
        setting.printLoad();
        setting.print("slices of " + sliceSeconds + " s after " + warmUpSeconds + " s of warm-up; best rate of "
                + inFlight + " in a closed loop: " + Figures.perSecond(best) + " a second\n\n" + table.render());
    }

    static TextTable headings() {
        return new TextTable(
                "offered",
                "sent/s",
                "accepted/s",
                "p50 ms",
                "p99 ms",
                "refused/s",
                "p50 ms refused",
                "p99 ms refused",
                "other");
    }

    static void row(TextTable table, String offered, OpenLoop.Slice slice) {
        double seconds = slice.sending().toNanos() / 1e9;
        List<Duration> accepted = took(slice, List.of(ACCEPTED));
        List<Duration> refused = took(slice, List.of(TOO_MANY, UNAVAILABLE));
        table.row(
                offered,
                Figures.perSecond(slice.answers().size() / seconds),
                Figures.perSecond(accepted.size() / seconds),
                percentile(accepted, 50),
                percentile(accepted, 99),
                Figures.perSecond(refused.size() / seconds),
                percentile(refused, 50),
                percentile(refused, 99),
                Integer.toString(slice.answers().size() - accepted.size() - refused.size()));
    }

    /** Answers that are neither, by what they were. */
    private static Map<String, Long> unexpected(OpenLoop.Slice slice) {
        return slice.answers().stream()
                .filter(answer -> !List.of(ACCEPTED, TOO_MANY, UNAVAILABLE).contains(answer.status()))
                .collect(Collectors.groupingBy(
                        answer -> answer.status() == 0 ? answer.failure() : "HTTP " + answer.status(),
                        Collectors.counting()));
    }

    private static List<Duration> took(OpenLoop.Slice slice, List<Integer> statuses) {
        return slice.answers().stream()
                .filter(answer -> statuses.contains(answer.status()))
                .map(OpenLoop.Answer::took)
                .toList();
    }

    private static String percentile(List<Duration> answers, int percent) {
        return answers.isEmpty() ? "-" : Figures.millis(new Series(answers).percentile(percent));
    }
}
