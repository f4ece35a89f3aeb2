package dev.vivarium.trials.agents;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Table.Cell;
import dev.vivarium.terminal.Table.Style;
import dev.vivarium.trials.outside.Leftovers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The results of a trial.
 *
 * @param results each agent with its ended run
 * @param leftovers what was left after all had ended
 * @param leaks answers of the API in which the secret's value was found
 * @param total the total duration
 */
public record Report(List<Result> results, Leftovers leftovers, int leaks, Duration total) {
    /** A long sentence would push the following cells off the screen; the JSON has it in full. */
    private static final int MEASURED_COLUMNS = 60;

    /**
     * One line.
     *
     * @param agent the agent
     * @param run its run
     * @param lastWords the last line that it printed
     * @param slowDown the duration of a neighbour's steady work relative to its duration alone; empty if not measured
     * @param objection what is wrong besides its end, as a sentence
     */
    public record Result(
            Agent agent, RunView run, String lastWords, OptionalDouble slowDown, Optional<String> objection) {
        public static Result of(AgentRun run, OptionalDouble slowDown, Optional<String> objection) {
            return new Result(run.agent(), run.view(), run.lastWords(), slowDown, objection);
        }

        /** Its result and its last line, which explain an unexpected end. */
        public String words() {
            return Expectation.wordsOf(run) + " "
                    + objection.orElseGet(() -> measured(run).isEmpty() ? lastWords : measured(run));
        }

        public boolean isAsExpected() {
            return agent.expect().isMetBy(run) && objection.isEmpty();
        }
    }

    public Report {
        results = List.copyOf(results);
    }

    /** Whether every line is as expected, nothing is left and no secret was leaked. */
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
                        .map(usage -> Amounts.used(usage, Limit.WALL_CLOCK))
                        .orElse("")),
                Cell.of(run.usage()
                        .map(usage -> Amounts.used(usage, Limit.MEMORY))
                        .orElse("")),
                Cell.of(ratio(result.slowDown())));
    }

    /** A ratio in the table's notation: {@code 1.25x}. */
    public static String ratio(OptionalDouble slowDown) {
        return slowDown.isPresent() ? String.format(Locale.ROOT, "%.2fx", slowDown.getAsDouble()) : "";
    }

    /** An unexpected end is best explained by the agent's output. */
    private static String lastWords(Result result) {
        String measured = measured(result.run());
        return result.objection().orElse(measured.isEmpty() ? result.lastWords() : measured);
    }

    private static String measured(RunView run) {
        return run.failure()
                .map(failure -> failure.kind() + ": " + failure.message())
                .or(() -> run.measurement().map(Amounts::measurement))
                .orElse("");
    }

    private static long used(RunView run, Limit<?> limit) {
        return run.usage().map(usage -> usage.get(limit)).orElse(0L);
    }

    /** The report for programs. */
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
            result.objection().ifPresent(objection -> line.put("objection", objection));
            line.put("lastWords", result.lastWords());
            line.put("wallMillis", used(run, Limit.WALL_CLOCK));
            line.put("memoryPeakBytes", used(run, Limit.MEMORY));
        }
        return json;
    }
}
