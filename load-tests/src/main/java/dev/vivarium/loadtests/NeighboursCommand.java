package dev.vivarium.loadtests;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.NeighbourProbe;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.trials.outside.Internet;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench neighbours}. */
@Command(
        name = "neighbours",
        description = {
            "How much longer a quiet agent and the node's store wait beside an agent that takes all of the disk, or of"
                    + " the",
            "network: on a node without shares, and on one with the shares that are the default. Needs root."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class NeighboursCommand implements Callable<Integer> {
    /** Larger than anything that one machine moves. */
    private static final Map<String, String> WITHOUT_SHARES = Map.of(
            "vivarium.driver.docker.disk.read-bytes-per-second-max", "0",
            "vivarium.driver.docker.disk.write-bytes-per-second-max", "0",
            "vivarium.driver.docker.disk.reads-per-second-max", "0",
            "vivarium.driver.docker.disk.writes-per-second-max", "0",
            "vivarium.egress.bytes-per-second-max", "64GiB",
            "vivarium.egress.packets-per-second-max", "100000000");

    private static final double USUAL = 50;
    private static final double SLOW = 99;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Option(names = "--rounds", defaultValue = "5", description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Option(
            names = "--operations",
            defaultValue = "200",
            description = "Operations of each kind in a round (default: ${DEFAULT-VALUE}).")
    private int operations = 200;

    @Option(
            names = "--hog-cpu",
            defaultValue = "500m",
            description = "The share of processors of the agent that takes all (default: ${DEFAULT-VALUE}).")
    private String hogCpu = "500m";

    @Option(names = "--lines", paramLabel = "FILE", description = "Appends each figure as a line of JSON.")
    private @Nullable Path lines;

    /** What one waits for, alone and beside an agent that takes all. */
    record Waits(Series alone, Series beside) {
        double ratio(double percent) {
            return (double) beside.percentile(percent).toNanos()
                    / Math.max(1, alone.percentile(percent).toNanos());
        }

        static Waits of(List<Waits> rounds) {
            return new Waits(
                    joined(rounds.stream().map(Waits::alone)),
                    joined(rounds.stream().map(Waits::beside)));
        }

        private static Series joined(Stream<Series> rounds) {
            return new Series(rounds.flatMap(series -> series.rounds().stream()).toList());
        }
    }

    /** Something that is waited for. */
    private interface Operation {
        Series once() throws IOException;
    }

    /** Something that takes all. */
    private interface Taker {
        NeighbourProbe.Hog begin() throws IOException;
    }

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || operations < 1) {
            throw setting.refusal("--rounds and --operations are at least 1.");
        }
        setting.engine();
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        try (Internet hosts = Internet.begin(root.resolve("examples/abuse"), "bench")) {
            Map<String, Waits> without = measured("without shares", WITHOUT_SHARES, hosts);
            Map<String, Waits> with = measured("with the default shares", Map.of(), hosts);
            setting.printLoad();
            setting.print(rounds + " rounds of " + operations + " operations; milliseconds, p50 and p99\n\n");
            setting.print(table(without, with));
        }
        return 0;
    }

    private Map<String, Waits> measured(String shares, Map<String, String> config, Internet hosts) throws IOException {
        setting.progress("measuring " + shares);
        Map<String, String> settings = new LinkedHashMap<>(hosts.nodeSettings());
        settings.putAll(driver.settings());
        settings.putAll(config);
        try (NodeProcess node = NodeOption.start(setting, settings)) {
            NeighbourProbe probe = new NeighbourProbe(new VivariumApi(node.uri()), setting.image());
            Map<String, Waits> waits = new LinkedHashMap<>();
            waits.put(
                    "a neighbour's read, beside reads and flushes",
                    waits(() -> probe.reads(operations), () -> probe.diskHog(hogCpu)));
            waits.put(
                    "the store's write, beside reads and flushes",
                    waits(() -> probe.submissions(operations), () -> probe.diskHog(hogCpu)));
            waits.put(
                    "a neighbour's connection, beside a flood",
                    waits(
                            () -> probe.connections(operations, Internet.PUBLIC),
                            () -> probe.networkHog(hogCpu, Internet.PUBLIC)));
            for (Map.Entry<String, Waits> each : waits.entrySet()) {
                keep(shares, each.getKey(), each.getValue());
            }
            return waits;
        }
    }

    /** Alone and beside in turns, the first round for warm-up. */
    private Waits waits(Operation operation, Taker taker) throws IOException {
        List<Waits> counted = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            Series alone = operation.once();
            NeighbourProbe.Hog hog = taker.begin();
            try {
                Series beside = operation.once();
                if (round > 0) {
                    counted.add(new Waits(alone, beside));
                }
            } finally {
                hog.close();
            }
        }
        return Waits.of(counted);
    }

    private void keep(String shares, String what, Waits waits) throws IOException {
        if (lines == null) {
            return;
        }
        ObjectNode line = ApiJson.object()
                .put("at", Instant.now().toString())
                .put("what", what)
                .put("shares", shares)
                .put("rounds", rounds)
                .put("operations", operations)
                .put("hogCpu", hogCpu);
        put(line, "alone", waits.alone());
        put(line, "beside", waits.beside());
        line.put("ratioP50", waits.ratio(USUAL)).put("ratioP99", waits.ratio(SLOW));
        Files.writeString(
                lines, line + "\n", StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static void put(ObjectNode line, String name, Series series) {
        line.putObject(name)
                .put("p50Micros", micros(series.percentile(USUAL)))
                .put("p99Micros", micros(series.percentile(SLOW)));
    }

    private static long micros(Duration duration) {
        return duration.toNanos() / 1_000;
    }

    static String table(Map<String, Waits> without, Map<String, Waits> with) {
        TextTable table =
                new TextTable("", "shares", "alone", "beside", "ratio", "alone p99", "beside p99", "ratio p99");
        without.forEach((what, waits) -> {
            row(table, what, "none", waits);
            Optional.ofNullable(with.get(what)).ifPresent(shared -> row(table, "", "default", shared));
        });
        return table.render();
    }

    private static void row(TextTable table, String what, String shares, Waits waits) {
        table.row(
                what,
                shares,
                Figures.millis(waits.alone().percentile(USUAL)),
                Figures.millis(waits.beside().percentile(USUAL)),
                Figures.ratio(waits.ratio(USUAL)),
                Figures.millis(waits.alone().percentile(SLOW)),
                Figures.millis(waits.beside().percentile(SLOW)),
                Figures.ratio(waits.ratio(SLOW)));
    }
}
