package dev.vivarium.node.cli.trial;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.cli.text.Amounts;
import dev.vivarium.node.cli.text.Table;
import dev.vivarium.node.cli.text.Table.Cell;
import dev.vivarium.node.cli.text.Table.Style;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What the agents came to.
 *
 * @param results each agent with its run, as it ended
 * @param leftovers what was left when all had ended
 * @param leaks answers of the API in which the secret's value was found
 * @param total how long it all took
 */
public record Report(List<Result> results, Leftovers leftovers, int leaks, Duration total) {
    /** A sentence in one line would push all that follows off the screen; the JSON has it whole. */
    private static final int MEASURED_COLUMNS = 60;

    /**
     * One line.
     *
     * @param agent the agent
     * @param run its run
     * @param lastWords the last line that it printed
     * @param slowDown how much longer a neighbour's steady work took meanwhile than alone; empty when nobody measured
     */
    public record Result(Agent agent, RunView run, String lastWords, OptionalDouble slowDown) {
        public static Result of(AgentRun run, OptionalDouble slowDown) {
            return new Result(run.agent(), run.view(), run.lastWords(), slowDown);
        }

        /** What it came to, and what it said last: what explains an end that was not expected. */
        public String words() {
            return Expectation.wordsOf(run) + " " + (measured(run).isEmpty() ? lastWords : measured(run));
        }

        public boolean isAsExpected() {
            return agent.expect().isMetBy(run);
        }
    }

    public Report {
        results = List.copyOf(results);
    }

    /** Whether every line is as expected, nothing is left and no secret came out. */
    public boolean isAsExpected() {
        return results.stream().allMatch(Result::isAsExpected) && leftovers.isNothing() && leaks == 0;
    }

    /** The closing table. */
    public Table table() {
        List<String> headings =
                new ArrayList<>(List.of("", "AGENT", "EXPECTED", "ACTUAL", "MEASURED", "TOOK", "PEAK MEMORY"));
        boolean besideNeighbours =
                results.stream().anyMatch(result -> result.slowDown().isPresent());
        if (besideNeighbours) {
            headings.add("NEIGHBOUR");
        }
        Table table = new Table(headings.toArray(String[]::new));
        for (Result result : results) {
            List<Cell> row = row(result);
            table.row(besideNeighbours ? row : row.subList(0, headings.size()));
        }
        return table;
    }

    private static List<Cell> row(Result result) {
        RunView run = result.run();
        Style style = result.isAsExpected() ? Style.GOOD : Style.BAD;
        return List.of(
                new Cell(result.isAsExpected() ? "ok" : "NOT SO", style),
                Cell.of(result.agent().name()),
                Cell.of(result.agent().expect().words()),
                new Cell(Expectation.wordsOf(run), style),
                Cell.of(Table.cut(result.isAsExpected() ? measured(run) : lastWords(result), MEASURED_COLUMNS)),
                Cell.of(run.usage()
                        .map(usage -> Amounts.time(Duration.ofMillis(usage.wallMillis())))
                        .orElse("")),
                Cell.of(run.usage()
                        .map(usage -> Amounts.size(usage.memoryPeakBytes()))
                        .orElse("")),
                Cell.of(ratio(result.slowDown())));
    }

    /** A ratio as the table has it: {@code 1.25x}. */
    public static String ratio(OptionalDouble slowDown) {
        return slowDown.isPresent() ? String.format(Locale.ROOT, "%.2fx", slowDown.getAsDouble()) : "";
    }

    /** What was not as expected is best explained by the agent itself. */
    private static String lastWords(Result result) {
        String measured = measured(result.run());
        return measured.isEmpty() ? result.lastWords() : measured;
    }

    private static String measured(RunView run) {
        return run.failure()
                .map(failure -> failure.kind() + ": " + failure.message())
                .or(() -> run.measurement().map(Amounts::measurement))
                .orElse("");
    }

    /** The same for machines. */
    public ObjectNode json() {
        ObjectNode json = ApiJson.object();
        json.put("asExpected", isAsExpected());
        json.put("totalMillis", total.toMillis());
        json.put("sandboxesLeft", leftovers.sandboxes());
        leftovers.processes().ifPresent(count -> json.put("processesLeft", count));
        json.put("secretLeaks", leaks);
        var lines = json.putArray("agents");
        for (Result result : results) {
            RunView run = result.run();
            ObjectNode line = lines.addObject();
            line.put("agent", result.agent().name());
            line.put("run", run.id().value());
            line.put("asExpected", result.isAsExpected());
            line.put("expected", result.agent().expect().words());
            line.put("actual", Expectation.wordsOf(run));
            run.reason().ifPresent(reason -> line.put("reason", reason.toString()));
            run.measurement().ifPresent(measurement -> line.set("measurement", ApiJson.tree(measurement)));
            run.exitCode().ifPresent(code -> line.put("exitCode", code));
            run.failure().ifPresent(failure -> line.set("failure", ApiJson.tree(failure)));
            result.slowDown().ifPresent(ratio -> line.put("neighbourSlowDown", Math.round(ratio * 100) / 100.0));
            line.put("lastWords", result.lastWords());
            line.put("wallMillis", run.usage().map(Usage::wallMillis).orElse(0L));
            line.put("memoryPeakBytes", run.usage().map(Usage::memoryPeakBytes).orElse(0L));
        }
        return json;
    }
}
