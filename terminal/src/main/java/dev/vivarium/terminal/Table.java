package dev.vivarium.terminal;

import dev.vivarium.protocol.run.RunStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Rows under headings, in columns as wide as their widest cell. Cells are made printable here, so that callers need not;
 * styles are added after a cell's width is known.
 */
public final class Table {
    private static final int GAP_COLUMNS = 2;

    /** First and last of the characters that terminals draw two columns wide: East Asian scripts and pictures. */
    private static final int[][] WIDE = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}
    };

    private final List<String> headings;
    private final List<List<Cell>> rows = new ArrayList<>();

    /** The style of a cell on a terminal with colours. */
    public enum Style {
        PLAIN(""),
        GOOD("32"),
        BAD("31"),
        BUSY("36"),
        FAINT("2");

        private final String code;

        Style(String code) {
            this.code = code;
        }

        /** The style of a status. */
        public static Style of(RunStatus status) {
            return switch (status) {
                case SUBMITTED, QUEUED, CANCELLED -> FAINT;
                case STARTING, RUNNING -> BUSY;
                case SUCCEEDED -> GOOD;
                case FAILED, KILLED, LOST -> BAD;
            };
        }
    }

    /** Whether styles are drawn. */
    public enum Colours {
        ON,
        OFF
    }

    /**
     * One cell.
     *
     * @param text its text, not yet made printable
     * @param style its style on a terminal with colours
     */
    public record Cell(String text, Style style) {
        public Cell {
            text = Printable.of(text);
        }

        public static Cell of(String text) {
            return new Cell(text, Style.PLAIN);
        }
    }

    public Table(String... headings) {
        this.headings = List.of(headings);
    }

    /** Adds a row of plain cells. */
    public Table row(String... cells) {
        List<Cell> row = new ArrayList<>();
        for (String cell : cells) {
            row.add(Cell.of(cell));
        }
        return row(row);
    }

    /** Adds a row, with one cell for each heading. */
    public Table row(List<Cell> cells) {
        if (cells.size() != headings.size()) {
            throw new IllegalArgumentException("A row has one cell for each heading.");
        }
        rows.add(List.copyOf(cells));
        return this;
    }

    /**
     * The lines of the table, headings first, without spaces at the ends of lines.
     *
     * @param columns lines are cut at this width, with an ellipsis, and never wrap
     */
    public List<String> lines(int columns, Colours colours) {
        List<Cell> heads = headings.stream().map(Cell::of).toList();
        int[] widths = IntStream.range(0, headings.size())
                .map(column -> Math.max(
                        width(heads.get(column).text()),
                        rows.stream()
                                .mapToInt(row -> width(row.get(column).text()))
                                .max()
                                .orElse(0)))
                .toArray();
        List<String> lines = new ArrayList<>();
        lines.add(line(heads, widths, columns, colours));
        rows.forEach(row -> lines.add(line(row, widths, columns, colours)));
        return lines;
    }

    /** The whole table, uncut. */
    public String render(Colours colours) {
        return lines(Integer.MAX_VALUE, colours).stream().collect(Collectors.joining("\n", "", "\n"));
    }

    private static String line(List<Cell> cells, int[] widths, int columns, Colours colours) {
        StringBuilder line = new StringBuilder();
        int used = 0;
        int last = lastUsed(cells);
        for (int column = 0; column <= last && used < columns; column++) {
            Cell cell = cells.get(column);
            String text = cut(cell.text(), columns - used);
            line.append(drawn(text, cell.style(), colours));
            used += width(text);
            if (column < last && used < columns) {
                int padding = Math.min(widths[column] - width(text) + GAP_COLUMNS, columns - used);
                line.append(" ".repeat(padding));
                used += padding;
            }
        }
        return line.toString().stripTrailing();
    }

    private static int lastUsed(List<Cell> cells) {
        int last = cells.size() - 1;
        while (last > 0 && cells.get(last).text().isEmpty()) {
            last--;
        }
        return last;
    }

    private static String drawn(String text, Style style, Colours colours) {
        if (colours == Colours.OFF || style == Style.PLAIN || text.isEmpty()) {
            return text;
        }
        return "\u001b[" + style.code + "m" + text + "\u001b[0m";
    }

    /** The text in at most this many columns, with an ellipsis if it is cut. */
    public static String cut(String text, int columns) {
        if (width(text) <= columns) {
            return text;
        }
        StringBuilder cut = new StringBuilder();
        int used = 0;
        for (int codePoint : text.codePoints().toArray()) {
            int next = width(codePoint);
            if (used + next > columns - 1) {
                break;
            }
            cut.appendCodePoint(codePoint);
            used += next;
        }
        return columns > 0 ? cut.append('…').toString() : "";
    }

    private static int width(String text) {
        return text.codePoints().map(Table::width).sum();
    }

    /** The columns of a character on a terminal: none for combining marks, two for wide characters. */
    private static int width(int codePoint) {
        int type = Character.getType(codePoint);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        for (int[] range : WIDE) {
            if (codePoint >= range[0] && codePoint <= range[1]) {
                return 2;
            }
        }
        return 1;
    }
}
