package dev.vivarium.node.cli.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.node.cli.client.ApiJson;
import dev.vivarium.node.cli.text.Amounts;
import dev.vivarium.node.cli.text.Table;
import dev.vivarium.node.cli.text.Table.Cell;
import dev.vivarium.node.cli.text.Table.Style;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.List;

/**
 * What the examples came to.
 *
 * @param results each example with its run, as it ended
 * @param leftovers what was left when all had ended
 * @param leaks answers of the API in which the secret's value was found
 * @param total how long it all took
 */
public record Report(List<Result> results, Leftovers leftovers, int leaks, Duration total) {
    /**
     * One line.
     *
     * @param agent the example
     * @param run its run
     */
    public record Result(Agent agent, RunView run) {
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
        Table table = new Table("", "AGENT", "EXPECTED", "ACTUAL", "MEASURED", "TOOK", "PEAK MEMORY");
        for (Result result : results) {
            RunView run = result.run();
            Style style = result.isAsExpected() ? Style.GOOD : Style.BAD;
            table.row(List.of(
                    new Cell(result.isAsExpected() ? "ok" : "NOT SO", style),
                    Cell.of(result.agent().name()),
                    Cell.of(result.agent().expect().words()),
                    new Cell(Expectation.wordsOf(run), style),
                    Cell.of(measured(run)),
                    Cell.of(run.usage()
                            .map(usage -> Amounts.time(Duration.ofMillis(usage.wallMillis())))
                            .orElse("")),
                    Cell.of(run.usage()
                            .map(usage -> Amounts.size(usage.memoryPeakBytes()))
                            .orElse(""))));
        }
        return table;
    }

    private static String measured(RunView run) {
        return run.failure()
                .map(failure -> failure.kind() + ": " + failure.message())
                .or(() -> run.measurement().map(Amounts::measurement))
                .orElse("");
    }

    /** The same for machines. */
    public JsonNode json() {
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
            line.put("wallMillis", run.usage().map(Usage::wallMillis).orElse(0L));
            line.put("memoryPeakBytes", run.usage().map(Usage::memoryPeakBytes).orElse(0L));
        }
        return json;
    }
}
