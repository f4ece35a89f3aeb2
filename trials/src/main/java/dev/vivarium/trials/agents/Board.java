package dev.vivarium.trials.agents;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.Ending;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Table.Cell;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Shows the agents' progress: a table that is redrawn in place on a terminal, a line for each change elsewhere. */
public final class Board {
    private final Form form;
    private final int columns;
    private final Table.Colours colours;
    private final Consumer<String> out;
    private final Instant start;
    private final Map<String, RunStatus> shown = new HashMap<>();
    private int drawnLines;

    /** How progress is shown. */
    public enum Form {
        TABLE,
        LINES,
        NOTHING
    }

    /** @param out receives text to print unchanged */
    public Board(Form form, int columns, Table.Colours colours, Instant start, Consumer<String> out) {
        this.form = form;
        this.columns = columns;
        this.colours = colours;
        this.start = start;
        this.out = out;
    }

    /** Shows the current state. */
    public void show(List<AgentRun> runs, Instant now) {
        switch (form) {
            case TABLE -> redraw(table(runs, now).lines(columns, colours));
            case LINES -> runs.forEach(run -> tell(run, now));
            case NOTHING -> {}
        }
    }

    /** Clears a table from the terminal, to make room for other output. */
    public void wipe() {
        if (form == Form.TABLE) {
            redraw(List.of());
        }
    }

    private void redraw(List<String> lines) {
        StringBuilder text = new StringBuilder();
        if (drawnLines > 0) {
            text.append("\u001b[").append(drawnLines).append('A');
        }
        lines.forEach(line -> text.append("\r\u001b[K").append(line).append('\n'));
        text.append("\u001b[J");
        drawnLines = lines.size();
        out.accept(text.toString());
    }

    private static Table table(List<AgentRun> runs, Instant now) {
        Table table = new Table("AGENT", "STATUS", "TIME", "SAYS");
        for (AgentRun run : runs) {
            RunView view = run.view();
            table.row(List.of(
                    Cell.of(run.agent().name()),
                    new Cell(view.status().toString(), Table.Style.of(view.status())),
                    Cell.of(time(view, now)),
                    Cell.of(run.isOver() ? Ending.cause(view) : run.lastWords())));
        }
        return table;
    }

    private static String time(RunView view, Instant now) {
        return view.startedAt()
                .map(started -> Amounts.time(Duration.ofMillis(
                        Duration.between(started, view.finishedAt().orElse(now)).toMillis() / 100 * 100)))
                .orElse("");
    }

    private void tell(AgentRun run, Instant now) {
        RunStatus status = run.view().status();
        if (shown.put(run.agent().name(), status) != status) {
            String when = Amounts.time(Duration.between(start, now));
            String line = "%9s  %-15s %s %s".formatted(when, run.agent().name(), status, Ending.cause(run.view()));
            out.accept(line.stripTrailing() + "\n");
        }
    }
}
