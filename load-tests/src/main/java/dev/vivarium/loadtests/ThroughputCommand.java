package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Rates;
import dev.vivarium.loadtests.subject.ClosedLoop;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.SandboxLife;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench throughput}. */
@Command(
        name = "throughput",
        description = {
            "Fresh sandboxes per second, each for a short command, from submission until it is gone,",
            "compared with the engine's own API (create, start, wait, remove) with the same restrictions. Each at its best number in"
                    + " flight, in alternating slices."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ThroughputCommand implements Callable<Integer> {
    private static final String VIVARIUM = "Vivarium";
    private static final String ENGINE = "engine's API";

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Mixin
    private final WorkloadOptions options = new WorkloadOptions();

    @Option(
            names = "--in-flight",
            defaultValue = "4,8,16",
            split = ",",
            description = "Numbers of concurrent sandboxes to try (default: ${DEFAULT-VALUE}).")
    private List<Integer> inFlight = List.of(4, 8, 16);

    @Option(
            names = "--slice",
            defaultValue = "8",
            description = "Length of a slice in seconds (default: ${DEFAULT-VALUE}).")
    private int sliceSeconds = 8;

    @Option(names = "--rounds", defaultValue = "3", description = "Slices of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || sliceSeconds < 1 || inFlight.stream().anyMatch(count -> count < 1)) {
            throw setting.refusal("--in-flight, --slice and --rounds are at least 1.");
        }
        Workload workload = options.workload(setting.image());
        EngineApi engine = setting.engine();
        try (NodeOption.Lease lease = node.lease(setting)) {
            SandboxLife vivarium = SandboxLife.of(new VivariumApi(lease.uri()), workload);
            SandboxLife own = SandboxLife.of(engine, workload);
            Duration slice = Duration.ofSeconds(sliceSeconds);
            ClosedLoop.run(vivarium, 4, slice);
            ClosedLoop.run(own, 4, slice);
            Rates rates = measure(vivarium, own, slice);
            setting.printLoad();
            setting.print("command  " + String.join(" ", workload.command()) + ", in " + workload.image() + "; "
                    + rounds + " slices of " + sliceSeconds + " s each, after a warm-up\n\n");
            setting.print(rates.table());
            setting.print("\n" + VIVARIUM + " to " + ENGINE + ", each at its best: "
                    + Figures.ratio(rates.best(VIVARIUM) / rates.best(ENGINE)) + "\n");
        }
        return 0;
    }

    private Rates measure(SandboxLife vivarium, SandboxLife own, Duration slice) throws IOException {
        Rates rates = new Rates();
        for (int round = 0; round < rounds; round++) {
            for (int count : inFlight) {
                // The order alternates, so that neither subject always runs after the other.
                if (round % 2 == 0) {
                    rates.add(VIVARIUM, count, ClosedLoop.run(vivarium, count, slice));
                    rates.add(ENGINE, count, ClosedLoop.run(own, count, slice));
                } else {
                    rates.add(ENGINE, count, ClosedLoop.run(own, count, slice));
                    rates.add(VIVARIUM, count, ClosedLoop.run(vivarium, count, slice));
                }
            }
        }
        return rates;
    }
}
