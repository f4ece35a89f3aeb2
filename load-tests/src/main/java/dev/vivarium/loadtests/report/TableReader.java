package dev.vivarium.loadtests.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the tables of a report back: the rule of a {@link TextTable} shows its columns, and an empty line ends it. */
public final class TableReader {
    private static final Pattern RULE = Pattern.compile("-+(  -+)*");
    private static final Pattern COLUMN = Pattern.compile("-+");
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,15}(\\.[0-9]{1,9})?");

    private TableReader() {}

    /** All tables of a text: each is an array with an object for each row, whose names are the headings. */
    public static ArrayNode tables(String report) {
        ArrayNode tables = ApiJson.object().putArray("tables");
        List<String> lines = report.lines().toList();
        for (int at = 1; at < lines.size(); at++) {
            if (RULE.matcher(lines.get(at)).matches()) {
                List<String> headings = cells(lines.get(at - 1), lines.get(at));
                ArrayNode rows = tables.addArray();
                for (int row = at + 1; row < lines.size() && fits(lines.get(row), lines.get(at)); row++) {
                    row(rows.addObject(), headings, cells(lines.get(row), lines.get(at)));
                }
            }
        }
        return tables;
    }

    /** Whether it is a row of the table: it has something beyond the first column, and blanks between all columns. */
    private static boolean fits(String line, String rule) {
        int second = rule.indexOf(' ');
        boolean only = second < 0
                ? line.isBlank()
                : line.length() <= second || line.substring(second).isBlank();
        if (only || line.length() > rule.length()) {
            return false;
        }
        for (int at = 0; at < line.length(); at++) {
            if (rule.charAt(at) == ' ' && line.charAt(at) != ' ') {
                return false;
            }
        }
        return true;
    }

    private static List<String> cells(String line, String rule) {
        List<String> cells = new ArrayList<>();
        Matcher column = COLUMN.matcher(rule);
        while (column.find()) {
            int from = Math.min(column.start(), line.length());
            int to = Math.min(column.end(), line.length());
            cells.add(line.substring(from, to).strip());
        }
        return cells;
    }

    private static void row(ObjectNode row, List<String> headings, List<String> cells) {
        for (int at = 0; at < cells.size(); at++) {
            String heading = headings.get(at).isEmpty() ? "what" : headings.get(at);
            String cell = cells.get(at);
            if (NUMBER.matcher(cell).matches()) {
                row.put(heading, Double.parseDouble(cell));
            } else if (!cell.isEmpty()) {
                row.put(heading, cell);
            }
        }
    }
}
