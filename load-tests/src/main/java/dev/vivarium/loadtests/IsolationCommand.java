package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.CostProbe;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench isolation}. */
@Command(
        name = "isolation",
        description = {
            "The cost of the isolation class gvisor compared with container: the start of a sandbox, and inside it starting",
            "processes, computing, and system calls. Rounds measure both in alternating order."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class IsolationCommand implements Callable<Integer> {
    private static final int ROUNDS_MIN = 5;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Option(
            names = "--rounds",
            defaultValue = "15",
            description = "Rounds that count, at least 5 (default: ${DEFAULT-VALUE}), after two for warm-up.")
    private int rounds = 15;

    @Override
    public Integer call() throws IOException {
        if (rounds < ROUNDS_MIN) {
            throw setting.refusal("--rounds is at least " + ROUNDS_MIN + ".");
        }
        setting.engine();
        try (NodeOption.Lease lease = node.lease(setting)) {
            CostProbe probe = new CostProbe(new VivariumApi(lease.uri()), setting.image());
            measure(probe, 2);
            Map<Isolation, List<CostProbe.Costs>> measured = measure(probe, rounds);
            setting.printLoad();
            setting.print(rounds + " rounds; medians\n\n");
            setting.print(table(
                    measured.getOrDefault(Isolation.CONTAINER, List.of()),
                    measured.getOrDefault(Isolation.GVISOR, List.of())));
        }
        return 0;
    }

    private static Map<Isolation, List<CostProbe.Costs>> measure(CostProbe probe, int times) throws IOException {
        Map<Isolation, List<CostProbe.Costs>> costs = new EnumMap<>(Isolation.class);
        for (int round = 0; round < times; round++) {
            List<Isolation> order = round % 2 == 0
                    ? List.of(Isolation.CONTAINER, Isolation.GVISOR)
                    : List.of(Isolation.GVISOR, Isolation.CONTAINER);
            for (Isolation isolation : order) {
                costs.computeIfAbsent(isolation, first -> new ArrayList<>()).add(probe.once(isolation));
            }
        }
        return costs;
    }

    static String table(List<CostProbe.Costs> container, List<CostProbe.Costs> gvisor) {
        TextTable table = new TextTable("ms", "container", "gvisor", "gvisor to it", "by rounds");
        row(table, "start: POST until the first byte", container, gvisor, CostProbe.Costs::start);
        row(table, "exec: 20 processes, one after the other", container, gvisor, CostProbe.Costs::processes);
        row(table, "computing: two million additions", container, gvisor, CostProbe.Costs::computing);
        row(table, "system calls: 5,000 stats", container, gvisor, CostProbe.Costs::calls);
        return table.render();
    }

    private static void row(
            TextTable table,
            String what,
            List<CostProbe.Costs> container,
            List<CostProbe.Costs> gvisor,
            Function<CostProbe.Costs, Duration> part) {
        Series plain = new Series(container.stream().map(part).toList());
        Series own = new Series(gvisor.stream().map(part).toList());
        table.row(
                what,
                Figures.millis(plain.median()),
                Figures.millis(own.median()),
                Figures.ratio(own.ratioOfMedians(plain)),
                Figures.ratio(own.medianOfRatios(plain)));
    }
}
