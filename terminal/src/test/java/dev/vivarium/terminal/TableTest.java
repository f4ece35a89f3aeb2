package dev.vivarium.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        Table table = new Table("A", "NAME", "C").row("1", "x", "last").row("22222", "long name", "");

        assertThat(table.render(Table.Colours.OFF))
                .isEqualTo(
                        """
                        A      NAME       C
                        1      x          last
                        22222  long name
                        """);
    }

    @Test
    void cellsCannotControlTheTerminal() {
        Table table = new Table("LABELS").row("a\u001b[2Jb\nc\u202ed");

        assertThat(table.render(Table.Colours.ON)).isEqualTo("LABELS\na\\e[2Jb\\nc\\u202ed\n");
    }

    @Test
    void coloursDoNotShiftColumns() {
        Table table = new Table("S", "N").row(List.of(new Table.Cell("ok", Table.Style.GOOD), Table.Cell.of("x")));

        assertThat(table.lines(80, Table.Colours.ON)).containsExactly("S   N", "\u001b[32mok\u001b[0m  x");
        assertThat(table.lines(80, Table.Colours.OFF)).containsExactly("S   N", "ok  x");
    }

    @Test
    void linesNeverWrap() {
        Table table = new Table("AGENT", "SAYS").row("talker", "a very long story");

        assertThat(table.lines(14, Table.Colours.OFF)).containsExactly("AGENT   SAYS", "talker  a ver…");
        assertThat(table.lines(4, Table.Colours.OFF)).containsExactly("AGE…", "tal…");
    }

    @Test
    void wideCharactersTakeTwoColumns() {
        Table table = new Table("N", "X").row("世界", "y").row("ab", "z");

        assertThat(table.lines(80, Table.Colours.OFF)).containsExactly("N     X", "世界  y", "ab    z");
        assertThat(Table.cut("世界人", 5)).isEqualTo("世界…");
    }

    @Test
    void aRowHasOneCellForEachHeading() {
        assertThatThrownBy(() -> new Table("A", "B").row("1")).isInstanceOf(IllegalArgumentException.class);
    }
}
