package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.FirstByte;
import dev.vivarium.loadtests.subject.FirstByteOfDockerRun;
import dev.vivarium.loadtests.subject.FirstByteOfEngine;
import dev.vivarium.loadtests.subject.FirstByteOfRuntime;
import dev.vivarium.loadtests.subject.FirstByteOfVivarium;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench cold-start}. */
@Command(
        name = "cold-start",
        description = {
            "The time from POST /v1/runs to the first byte that the command prints, in a sandbox created for it,",
            "compared with the engine's own API and, on a node of the driver oci, with its bare runtime, both with the"
                    + " same",
            "restrictions, and with `docker run`. Each round runs all of them, each round in a different order."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ColdStartCommand implements Callable<Integer> {
    private static final String VIVARIUM = "Vivarium: POST, follow";
    private static final String ENGINE = "engine's API: create, attach, start";
    private static final String RUNTIME = "bare OCI runtime: run";
    private static final String DOCKER_RUN = "docker run --rm";
    private static final int ROUNDS_MIN = 20;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Mixin
    private final WorkloadOptions options = new WorkloadOptions();

    @Option(
            names = "--rounds",
            defaultValue = "30",
            description = "Rounds that count, at least 20 (default: ${DEFAULT-VALUE}).")
    private int rounds = 30;

    @Option(names = "--warm-up", defaultValue = "10", description = "Rounds before those (default: ${DEFAULT-VALUE}).")
    private int warmUp = 10;

    @Option(
            names = "--docker-network",
            paramLabel = "NETWORK",
            defaultValue = "",
            description = "The network of docker run (default: its own default).")
    private String dockerNetwork = "";

    @Override
    public Integer call() throws IOException {
        if (rounds < ROUNDS_MIN || warmUp < 0) {
            throw setting.refusal("--rounds is at least " + ROUNDS_MIN + ", and --warm-up not negative.");
        }
        Workload workload = options.workload(setting.image());
        EngineApi engine = setting.engine();
        try (NodeOption.Lease lease = node.lease(setting, Map.of("vivarium.pool.ceiling", "0"))) {
            VivariumApi api = new VivariumApi(lease.uri());
            OptionalLong ours = lease.pid();
            if (ours.isEmpty() || Driver.of(ours.getAsLong()) != Driver.OCI) {
                setting.print("runtime  not compared: only a node of the driver oci that is started here has one\n");
                report(api, engine, workload, Map.of());
                return 0;
            }
            try (FirstByteOfRuntime runtime = new FirstByteOfRuntime(api, ours.getAsLong(), workload)) {
                report(api, engine, workload, Map.of(RUNTIME, runtime));
            }
        }
        return 0;
    }

    /** @param others what is compared, too */
    private void report(VivariumApi api, EngineApi engine, Workload workload, Map<String, FirstByte> others)
            throws IOException {
        FirstByteOfVivarium vivarium = new FirstByteOfVivarium(api, workload);
        Map<String, FirstByte> subjects = new LinkedHashMap<>();
        subjects.put(VIVARIUM, vivarium);
        FirstByteOfEngine own = new FirstByteOfEngine(engine, workload);
        subjects.put(ENGINE, own);
        subjects.putAll(others);
        subjects.put(DOCKER_RUN, new FirstByteOfDockerRun(workload.dockerRun(dockerNetwork)));
        measure(subjects, warmUp);
        Map<String, Series> measured = measure(subjects, rounds);
        setting.printLoad();
        setting.print("command  " + String.join(" ", workload.command()) + ", in " + workload.image() + "; " + rounds
                + " rounds after " + warmUp + "\n");
        setting.print("docker   " + String.join(" ", workload.dockerRun(dockerNetwork)) + "\n\n");
        setting.print(table(measured));
        setting.print("\nWhere the time goes, ms:\n\n" + table(vivarium.newest(rounds), own.newest(rounds)));
    }

    private Map<String, Series> measure(Map<String, FirstByte> subjects, int times) throws IOException {
        Map<String, List<Duration>> took = new LinkedHashMap<>();
        List<String> names = List.copyOf(subjects.keySet());
        for (int round = 0; round < times; round++) {
            for (int turn = 0; turn < names.size(); turn++) {
                String name = names.get((round + turn) % names.size());
                FirstByte subject = subjects.get(name);
                if (subject != null) {
                    took.computeIfAbsent(name, first -> new ArrayList<>()).add(subject.once());
                }
            }
        }
        Map<String, Series> series = new LinkedHashMap<>();
        took.forEach((name, durations) -> series.put(name, new Series(durations)));
        return series;
    }

    /** Durations of each subject in milliseconds, and their ratios to Vivarium's. */
    static String table(Map<String, Series> measured) {
        Series vivarium = measured.get(VIVARIUM);
        TextTable table =
                new TextTable("first byte after, ms", "min", "p50", "p90", "p99", "max", "Vivarium to it", "by rounds");
        measured.forEach((name, series) -> table.row(
                name,
                Figures.millis(series.min()),
                Figures.millis(series.median()),
                Figures.millis(series.percentile(90)),
                Figures.millis(series.percentile(99)),
                Figures.millis(series.max()),
                vivarium == null ? "" : Figures.ratio(vivarium.ratioOfMedians(series)),
                vivarium == null ? "" : Figures.ratio(vivarium.medianOfRatios(series))));
        return table.render();
    }

    private static String table(List<FirstByteOfVivarium.Steps> ours, List<FirstByteOfEngine.Steps> engine) {
        return new TextTable("step", "p50", "p90")
                .row(step("Vivarium: POST until the run is submitted", ours, FirstByteOfVivarium.Steps::received))
                .row(step("  until its submission is durable", ours, FirstByteOfVivarium.Steps::accepted))
                .row(step("  until the agent's process runs", ours, FirstByteOfVivarium.Steps::made))
                .row(step("  until the node has its first output", ours, FirstByteOfVivarium.Steps::printed))
                .row(step("  until the client has it", ours, FirstByteOfVivarium.Steps::delivered))
                .row(step("engine's API: create", engine, FirstByteOfEngine.Steps::create))
                .row(step("  attach", engine, FirstByteOfEngine.Steps::attach))
                .row(step("  start, until the first byte", engine, FirstByteOfEngine.Steps::printed))
                .row(step("  start, until the engine's answer", engine, FirstByteOfEngine.Steps::start))
                .render();
    }

    private static <S> String[] step(String name, List<S> steps, Function<S, Duration> part) {
        Series series = new Series(steps.stream().map(part).toList());
        return new String[] {name, Figures.millis(series.median()), Figures.millis(series.percentile(90))};
    }
}
