package dev.vivarium.loadtests;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.InFlight;
import dev.vivarium.loadtests.subject.NetworkProbe;
import dev.vivarium.loadtests.subject.StartProbe;
import dev.vivarium.loadtests.subject.VivariumApi;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.trials.outside.Internet;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench egress}. */
@Command(
        name = "egress",
        description = {
            "What a network policy costs: the time to attach it, connections and bytes through the packet filter and",
            "through the gateway, compared with a container on the engine's bridge without a filter. The host is a namespace of",
            "this machine. Needs root."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class EgressCommand implements Callable<Integer> {
    private static final int WARM_UP = 2;
    private static final int STARTS_A_ROUND = 3;
    private static final String NO_NETWORK = ", none";

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Option(names = "--rounds", defaultValue = "7", description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int rounds = 7;

    @Option(
            names = "--connections",
            defaultValue = "200",
            description = "Connections in each round, opened in sequence (default: ${DEFAULT-VALUE}).")
    private int connections = 200;

    @Option(
            names = "--mebibytes",
            defaultValue = "256",
            description = "Mebibytes fetched in each round (default: ${DEFAULT-VALUE}).")
    private int mebibytes = 256;

    @Option(
            names = "--others",
            defaultValue = "0",
            description = "Idle sandboxes, each with a policy: everything is measured again beside them (default:"
                    + " ${DEFAULT-VALUE}).")
    private int others;

    @Option(
            names = "--in-flight",
            defaultValue = "4",
            description = "How many of those are started concurrently (default: ${DEFAULT-VALUE}).")
    private int inFlight = 4;

    /** One path to the host. */
    private interface Route {
        NetworkProbe.Costs once() throws IOException;
    }

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || connections < 1 || mebibytes < 1 || others < 0 || inFlight < 1) {
            throw setting.refusal("--rounds, --connections, --mebibytes and --in-flight are at least 1.");
        }
        setting.engine();
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        try (Internet hosts = Internet.begin(root.resolve("examples/abuse"), "bench");
                NodeProcess node = NodeOption.start(setting, config(hosts))) {
            VivariumApi api = new VivariumApi(node.uri());
            Map<String, Route> routes = routes(api);
            attaching(api);
            measure(routes, WARM_UP);
            Map<String, List<NetworkProbe.Costs>> alone = measure(routes, rounds);
            report("", alone);
            if (others > 0) {
                setting.progress("starting " + others + " sandboxes with a policy each");
                Workload sleeper = new Workload(setting.image(), List.of("sleep", "7200"));
                InFlight.all(others, inFlight, index -> {
                    ObjectNode submission = sleeper.submission();
                    submission.withObject("/limits").put("wallClock", "3h").put("idle", "3h");
                    submission.set("egress", Workload.egress("public"));
                    var run = api.submit(submission);
                    api.awaitRunning(run);
                    return run;
                });
                measure(routes, WARM_UP);
                report(" beside " + others + " sandboxes", measure(routes, rounds));
            }
            setting.printLoad();
        }
        return 0;
    }

    private Map<String, String> config(Internet hosts) {
        Map<String, String> config = new LinkedHashMap<>(hosts.nodeSettings());
        config.putAll(driver.settings());
        config.put("vivarium.run.live-max", Integer.toString(others + 8));
        config.put("vivarium.egress.gateway.connections-max", Integer.toString(connections));
        return config;
    }

    /** One way to start something that prints immediately. */
    private interface Start {
        Duration once() throws IOException;
    }

    /** What a network adds to a start, compared with the engine's bridge, which has no policy. */
    private void attaching(VivariumApi api) throws IOException {
        StartProbe probe = new StartProbe(setting.image());
        Map<String, Start> starts = new LinkedHashMap<>();
        starts.put("container, none", () -> probe.inContainer("none"));
        starts.put("container, bridge", () -> probe.inContainer("bridge"));
        starts.put("sandbox, none", () -> probe.inSandbox(api, Workload.egress("none")));
        starts.put("sandbox, public", () -> probe.inSandbox(api, Workload.egress("public")));
        starts.put(
                "sandbox, allowlist",
                () -> probe.inSandbox(api, Workload.egress("allowlist", Internet.NAME + ":8080,9000")));
        Map<String, List<Duration>> took = new LinkedHashMap<>();
        int times = WARM_UP + STARTS_A_ROUND * rounds;
        for (int round = 0; round < times; round++) {
            List<Map.Entry<String, Start>> order = new ArrayList<>(starts.entrySet());
            if (round % 2 == 1) {
                Collections.reverse(order);
            }
            for (Map.Entry<String, Start> start : order) {
                Duration once = start.getValue().once();
                if (round >= WARM_UP) {
                    took.computeIfAbsent(start.getKey(), first -> new ArrayList<>())
                            .add(once);
                }
            }
        }
        Map<String, Duration> medians = new LinkedHashMap<>();
        starts.keySet().forEach(start -> medians.put(start, new Series(took.getOrDefault(start, List.of())).median()));
        setting.print(STARTS_A_ROUND * rounds + " starts of each; medians; attached is what the network adds\n\n");
        setting.print(attached(medians) + "\n");
    }

    static String attached(Map<String, Duration> medians) {
        TextTable table = new TextTable("", "first byte, ms", "attached in, ms", "ratio");
        Duration bridge = attachedIn(medians, "container, bridge");
        medians.forEach((start, median) -> {
            Duration added = attachedIn(medians, start);
            boolean without = start.endsWith(NO_NETWORK);
            table.row(
                    start,
                    Figures.millis(median),
                    without ? "" : Figures.millis(added),
                    without ? "" : Figures.ratio((double) added.toNanos() / Math.max(1, bridge.toNanos())));
        });
        return table.render();
    }

    /** The time beyond the same start without a network. */
    private static Duration attachedIn(Map<String, Duration> medians, String start) {
        String without = start.substring(0, start.indexOf(',')) + NO_NETWORK;
        Duration of = medians.getOrDefault(start, Duration.ZERO);
        return of.minus(medians.getOrDefault(without, Duration.ZERO));
    }

    private Map<String, Route> routes(VivariumApi api) {
        NetworkProbe direct = new NetworkProbe(setting.image(), Internet.PUBLIC, connections, mebibytes);
        NetworkProbe named = new NetworkProbe(setting.image(), Internet.NAME, connections, mebibytes);
        Map<String, Route> routes = new LinkedHashMap<>();
        routes.put("container, unfiltered", direct::inContainer);
        routes.put("sandbox, public: the filter", () -> direct.inSandbox(api, Workload.egress("public")));
        routes.put(
                "sandbox, allowlist: the gateway",
                () -> named.inSandbox(api, Workload.egress("allowlist", Internet.NAME + ":8080,9000")));
        return routes;
    }

    private static Map<String, List<NetworkProbe.Costs>> measure(Map<String, Route> routes, int times)
            throws IOException {
        Map<String, List<NetworkProbe.Costs>> costs = new LinkedHashMap<>();
        for (int round = 0; round < times; round++) {
            List<Map.Entry<String, Route>> order = new ArrayList<>(routes.entrySet());
            if (round % 2 == 1) {
                Collections.reverse(order);
            }
            for (Map.Entry<String, Route> route : order) {
                costs.computeIfAbsent(route.getKey(), first -> new ArrayList<>())
                        .add(route.getValue().once());
            }
        }
        return costs;
    }

    private void report(String where, Map<String, List<NetworkProbe.Costs>> measured) {
        setting.print(rounds + " rounds" + where + "; medians, ratios to the container by rounds\n\n");
        setting.print(table(measured, mebibytes) + "\n");
    }

    static String table(Map<String, List<NetworkProbe.Costs>> measured, int mebibytes) {
        TextTable table = new TextTable("", "start, ms", "ratio", "first byte, ms", "ratio", "MiB/s", "time, ratio");
        List<NetworkProbe.Costs> base = measured.values().iterator().next();
        measured.forEach((route, costs) -> {
            Series fetch = series(costs, NetworkProbe.Costs::fetch);
            table.row(
                    route,
                    Figures.millis(series(costs, NetworkProbe.Costs::start).median()),
                    ratio(costs, base, NetworkProbe.Costs::start),
                    String.format(
                            Locale.ROOT,
                            "%.3f",
                            series(costs, NetworkProbe.Costs::connection)
                                            .median()
                                            .toNanos()
                                    / 1e6),
                    ratio(costs, base, NetworkProbe.Costs::connection),
                    Figures.perSecond(mebibytes / (fetch.median().toNanos() / 1e9)),
                    ratio(costs, base, NetworkProbe.Costs::fetch));
        });
        return table.render();
    }

    private static String ratio(
            List<NetworkProbe.Costs> costs,
            List<NetworkProbe.Costs> base,
            Function<NetworkProbe.Costs, Duration> part) {
        return Figures.ratio(series(costs, part).medianOfRatios(series(base, part)));
    }

    private static Series series(List<NetworkProbe.Costs> costs, Function<NetworkProbe.Costs, Duration> part) {
        return new Series(costs.stream().map(part).toList());
    }
}
