package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.PrintedLines;
import dev.vivarium.loadtests.subject.PrintedLines.Line;
import dev.vivarium.loadtests.subject.VivariumApi;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench output}. */
@Command(
        name = "output",
        description = {
            "How long a line takes from an agent that prints one every few milliseconds to a follower of the run's"
                    + " output,",
            "and of it to the node and from there; compared with `docker run`, in alternation."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class OutputCommand implements Callable<Integer> {
    /** Lines of a run that are not counted: the agent, the follower and the compiler are not warm yet. */
    private static final int WARM_UP_LINES = 20;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Option(names = "--rounds", defaultValue = "5", description = "Runs of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Option(
            names = "--lines",
            defaultValue = "200",
            description = "Lines of a run, of which the first " + WARM_UP_LINES
                    + " do not count (default: ${DEFAULT-VALUE}).")
    private int lines = 200;

    @Option(
            names = "--every",
            paramLabel = "MILLISECONDS",
            defaultValue = "50",
            description = "Time between two lines (default: ${DEFAULT-VALUE}).")
    private long everyMillis = 50;

    @Option(names = "--only-vivarium", description = "Skips docker run.")
    private boolean onlyVivarium;

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || lines <= WARM_UP_LINES || everyMillis < 1) {
            throw setting.refusal("--rounds and --every are at least 1, and --lines more than " + WARM_UP_LINES + ".");
        }
        setting.engine();
        PrintedLines agent = new PrintedLines(setting.image(), lines, Duration.ofMillis(everyMillis));
        List<Line> followed = new ArrayList<>();
        List<Line> docker = new ArrayList<>();
        try (NodeOption.Lease lease = node.lease(setting)) {
            VivariumApi api = new VivariumApi(lease.uri());
            for (int round = 1; round <= rounds; round++) {
                setting.progress("round " + round + " of " + rounds);
                followed.addAll(counted(agent.ofVivarium(api)));
                if (!onlyVivarium) {
                    docker.addAll(counted(agent.ofDockerRun()));
                }
            }
        }
        setting.printLoad();
        setting.print(rounds + " runs of " + lines + " lines, one every " + everyMillis + " ms\n\n");
        setting.print(table(followed, docker));
        return 0;
    }

    private List<Line> counted(List<Line> run) throws IOException {
        if (run.size() != lines) {
            throw new IOException("A run printed " + lines + " lines, and " + run.size() + " came.");
        }
        return run.subList(WARM_UP_LINES, lines);
    }

    static String table(List<Line> followed, List<Line> docker) {
        TextTable table = new TextTable("a line, ms", "lines", "p50", "p90", "p99", "max");
        row(table, "Vivarium: agent to node", followed, line -> Duration.between(line.printed(), atNode(line)));
        row(table, "Vivarium: node to follower", followed, line -> Duration.between(atNode(line), line.seen()));
        row(table, "Vivarium: agent to follower", followed, line -> Duration.between(line.printed(), line.seen()));
        if (!docker.isEmpty()) {
            row(table, "docker run: agent to caller", docker, line -> Duration.between(line.printed(), line.seen()));
        }
        return table.render();
    }

    private static Instant atNode(Line line) {
        return line.atNode().orElse(line.seen());
    }

    private static void row(TextTable table, String name, List<Line> lines, Function<Line, Duration> time) {
        Series series = new Series(lines.stream().map(time).toList());
        table.row(
                name,
                Integer.toString(lines.size()),
                Figures.millis(series.percentile(50)),
                Figures.millis(series.percentile(90)),
                Figures.millis(series.percentile(99)),
                Figures.millis(series.max()));
    }
}
