package dev.vivarium.trials.agents;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.SampleRuns;
import dev.vivarium.client.ScriptedNode;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.terminal.Table;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BoardTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final StringBuilder out = new StringBuilder();

    private static AgentRun alpha() throws Exception {
        try (ScriptedNode node = new ScriptedNode()) {
            node.on("POST /v1/runs", ScriptedNode.json(202, SampleRuns.running()));
            Expectation expectation = Expectation.parse("SUCCEEDED");
            Agent agent = new Agent(
                    "alpha",
                    "",
                    List.of("true"),
                    List.of(),
                    "t",
                    List.of(),
                    EgressPolicy.none(),
                    Map.of(),
                    expectation);
            return AgentRun.submit(node.client(), agent, new Stage(Path.of("."), "i", Optional.empty(), "s", Map.of()));
        }
    }

    @Test
    void aTableIsRedrawnInPlace() throws Exception {
        Board board = new Board(Board.Form.TABLE, 80, Table.Colours.OFF, START, out::append);
        List<AgentRun> runs = List.of(alpha());

        board.show(runs, START.plusMillis(2_530));
        assertThat(out.toString()).startsWith("\r\u001b[KAGENT").contains("alpha  RUNNING  1.5 s");
        out.setLength(0);
        board.show(runs, START.plusSeconds(3));
        assertThat(out.toString()).startsWith("\u001b[2A");
        out.setLength(0);
        board.wipe();
        assertThat(out).hasToString("\u001b[2A\u001b[J");
    }

    @Test
    void changesArePrintedOnce() throws Exception {
        Board board = new Board(Board.Form.LINES, 80, Table.Colours.OFF, START, out::append);
        List<AgentRun> runs = List.of(alpha());

        board.show(runs, START.plusSeconds(2));
        board.show(runs, START.plusSeconds(3));

        assertThat(out).hasToString("      2 s  alpha           RUNNING\n");
    }

    @Test
    void theLastNonEmptyLineIsKept() {
        LastLine line = new LastLine();
        line.accept("one\ntw".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(line.text()).isEqualTo("tw");
        line.accept("o\n\n  \r\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(line.text()).isEqualTo("two");
        line.accept("x".repeat(1_000_000).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertThat(line.text()).hasSize(120);
    }
}
