package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Medians;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.SyntheticExport;
import dev.vivarium.loadtests.subject.VerificationProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench verification}. */
@Command(
        name = "verification",
        description = {
            "How many events of an export `vivarium audit verify FILE` verifies a second, with one thread and with one for",
            "each processor; beside it the same check line by line with a general reader of JSON, and SHA-256 of the same",
            "inputs and nothing else, which no verification can be faster than. Needs no node and no engine."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class VerificationCommand implements Callable<Integer> {
    private static final int EVENTS_MAX = 100_000_000;
    private static final double NANOS_PER_SECOND = 1e9;

    @Mixin
    private final Setting setting = new Setting();

    @Option(
            names = "--events",
            defaultValue = "1000000",
            description = "Events of the export (default: ${DEFAULT-VALUE}).")
    private int events = 1_000_000;

    @Option(
            names = "--rounds",
            defaultValue = "5",
            description =
                    "Measurements of each kind, in turns, after one that does not count (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    /** One of the ways that are compared. */
    @FunctionalInterface
    private interface Way {
        Duration take() throws IOException;
    }

    /**
     * What all events took.
     *
     * @param processors the time of all processors, compilation and collection of garbage included
     */
    record Taken(Duration time, Duration processors) {}

    @Override
    public Integer call() throws IOException {
        if (events < 1 || events > EVENTS_MAX || rounds < 1) {
            throw setting.refusal("--events must be from 1 to " + EVENTS_MAX + ", and --rounds at least 1.");
        }
        setting.machine();
        Path file = Files.createTempFile("vivarium-bench-export-", ".ndjson");
        try {
            setting.progress("writing an export of " + events + " events");
            SyntheticExport export = SyntheticExport.write(file, events);
            Map<String, List<Taken>> times = measure(ways(file, export));
            setting.printLoad();
            setting.print(
                    events + " events of " + Files.size(file) / events + " bytes; " + rounds + " rounds, in turns\n\n");
            setting.print(table(events, times));
        } finally {
            Files.deleteIfExists(file);
        }
        return 0;
    }

    private static Map<String, Way> ways(Path file, SyntheticExport export) {
        int processors = Runtime.getRuntime().availableProcessors();
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("by a general reader of JSON", () -> VerificationProbe.verifyByJson(file, export.keys()));
        ways.put("audit verify, 1 thread", () -> VerificationProbe.verify(file, export.keys(), 1));
        ways.put(
                "audit verify, " + processors + " threads",
                () -> VerificationProbe.verify(file, export.keys(), processors));
        ways.put("SHA-256 alone, 1 thread", () -> VerificationProbe.hash(export, 1));
        ways.put("SHA-256 alone, " + processors + " threads", () -> VerificationProbe.hash(export, processors));
        return ways;
    }

    private Map<String, List<Taken>> measure(Map<String, Way> ways) throws IOException {
        Map<String, List<Taken>> times = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            setting.progress(round == 0 ? "warming up" : "round " + round);
            for (Map.Entry<String, Way> way : ways.entrySet()) {
                Duration before = processors();
                Duration time = way.getValue().take();
                Taken taken = new Taken(time, processors().minus(before));
                if (round > 0) {
                    times.computeIfAbsent(way.getKey(), first -> new ArrayList<>())
                            .add(taken);
                }
            }
        }
        return times;
    }

    /** The time that all processors have given this process. */
    private static Duration processors() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElseThrow(() -> new IllegalStateException("The system does not tell processor time."));
    }

    /** Rates, how they compare with that of the first way, and the processor time that they cost. */
    static String table(int events, Map<String, List<Taken>> times) {
        TextTable table =
                new TextTable("events a second", "min", "median", "max", "to the first", "processor ns an event");
        double first = 0;
        for (Map.Entry<String, List<Taken>> way : times.entrySet()) {
            List<Double> rates = way.getValue().stream()
                    .map(taken -> events / (taken.time().toNanos() / NANOS_PER_SECOND))
                    .sorted()
                    .toList();
            List<Double> costs = way.getValue().stream()
                    .map(taken -> (double) taken.processors().toNanos() / events)
                    .toList();
            first = first == 0 ? Medians.of(rates) : first;
            table.row(
                    way.getKey(),
                    whole(rates.get(0)),
                    whole(Medians.of(rates)),
                    whole(rates.get(rates.size() - 1)),
                    Figures.ratio(Medians.of(rates) / first),
                    whole(Medians.of(costs)));
        }
        return table.render();
    }

    private static String whole(double figure) {
        return String.format(Locale.ROOT, "%.0f", figure);
    }
}
