package dev.vivarium.loadtests.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableReaderTest {
    @Test
    void tablesAreReadBackAsTheyWereWritten() {
        String first = new TextTable("first byte after, ms", "min", "p50", "to it")
                .row("Vivarium: POST, follow", "9.5", "12.0", "1.00x")
                .row("docker run", "301.2", "402.9", "")
                .render();
        String second =
                new TextTable("", "of").row("a step of some length", "3").render();

        assertThat(TableReader.tables("load     2.10\n\n" + first + "\nWhere it goes:\n\n" + second + "load     2.30\n")
                        .toString())
                .isEqualTo("[[{\"first byte after, ms\":\"Vivarium: POST, follow\",\"min\":9.5,\"p50\":12.0,"
                        + "\"to it\":\"1.00x\"},{\"first byte after, ms\":\"docker run\",\"min\":301.2,\"p50\":402.9}],"
                        + "[{\"what\":\"a step of some length\",\"of\":3.0}]]");
    }

    @Test
    void aReportWithoutTablesHasNone() {
        assertThat(TableReader.tables("machine  2 cores\n").isEmpty()).isTrue();
    }
}
