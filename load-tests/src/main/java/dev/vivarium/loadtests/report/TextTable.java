package dev.vivarium.loadtests.report;

import java.util.ArrayList;
import java.util.List;

/** Figures in columns: the first one, which names the rows, left-aligned, the others right-aligned. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... headings) {
        rows.add(List.of(headings));
    }

    /** Adds a row with one cell per heading. */
    public TextTable row(String... cells) {
        if (cells.length != rows.get(0).size()) {
            throw new IllegalArgumentException(
                    "a row of " + cells.length + " cells under " + rows.get(0).size() + " headings");
        }
        rows.add(List.of(cells));
        return this;
    }

    /** The rows as lines, with a rule under the headings. */
    public String render() {
        List<Integer> widths = new ArrayList<>();
        for (int column = 0; column < rows.get(0).size(); column++) {
            int at = column;
            widths.add(rows.stream().mapToInt(row -> row.get(at).length()).max().orElseThrow());
        }
        StringBuilder text = new StringBuilder();
        for (int row = 0; row < rows.size(); row++) {
            text.append(line(rows.get(row), widths)).append('\n');
            if (row == 0) {
                text.append(line(widths.stream().map("-"::repeat).toList(), widths))
                        .append('\n');
            }
        }
        return text.toString();
    }

    private static String line(List<String> cells, List<Integer> widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String padding = " ".repeat(widths.get(column) - cells.get(column).length());
            line.append(column == 0 ? "" : GAP)
                    .append(column == 0 ? cells.get(column) + padding : padding + cells.get(column));
        }
        return line.toString().stripTrailing();
    }
}
