package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.history.Failover;
import dev.vivarium.loadtests.history.Failover.Loss;
import dev.vivarium.loadtests.history.Failover.Move;
import dev.vivarium.loadtests.history.FailoverTrial;
import dev.vivarium.loadtests.subject.Driver;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class FailoverCommandTest {
    private static final Failover FIRST = new Failover(
            "node-2",
            millis(3_000),
            millis(8_000),
            millis(8_250),
            List.of(move(8_500, 8_510, 9_000), move(8_600, 8_620, 11_000)),
            List.of(loss(20, 100, 150), loss(40, 300, 320)),
            0);
    private static final Failover SECOND = new Failover(
            "node-3",
            millis(3_200),
            millis(8_300),
            millis(8_500),
            List.of(move(9_000, 9_010, 9_500)),
            List.of(loss(30, 200, 900)),
            1);

    @Test
    void timesAreAggregatedOverAllRunsAndTheLastRunOfEachKill() {
        assertThat(FailoverCommand.table(List.of(FIRST, SECOND)))
                .isEqualTo(
                        """
                        after the kill, ms              of     min     p50      p99      max
                        ------------------------------  --  ------  ------  -------  -------
                        a peer misses the node           2  3000.0  3000.0   3200.0   3200.0
                        the peers give it up             2  8000.0  8000.0   8300.0   8300.0
                        it is no member any more         2  8250.0  8250.0   8500.0   8500.0
                        a run's attempt is over          3  8500.0  8600.0   9000.0   9000.0
                        its next attempt begins          3  8510.0  8620.0   9010.0   9010.0
                        its agent runs elsewhere         3  9000.0  9500.0  11000.0  11000.0
                        the last agent of the node       2  9500.0  9500.0  11000.0  11000.0
                        a sandbox of it has no process   3    20.0    30.0     40.0     40.0
                        the last of them                 2    30.0    30.0     40.0     40.0
                        it has ended for the engine      3   100.0   200.0    300.0    300.0
                        the last of them                 2   200.0   200.0    300.0    300.0
                        all of it is removed             3   150.0   320.0    900.0    900.0
                        the last of them                 2   320.0   320.0    900.0    900.0
                        """);
    }

    @Test
    void withoutAnEngineNothingIsSaidOfWhenItSawAnEnd() {
        Failover withoutEngine = new Failover(
                FIRST.node(),
                FIRST.missed(),
                FIRST.givenUp(),
                FIRST.removed(),
                FIRST.moves(),
                List.of(new Loss(millis(20), Optional.empty(), millis(30))),
                0);

        assertThat(FailoverCommand.table(List.of(withoutEngine)))
                .contains("all of it is removed")
                .doesNotContain("engine");
    }

    @Test
    void theTimeIsSplitIntoPhases() {
        assertThat(FailoverCommand.parts(List.of(FIRST, SECOND))
                        .lines()
                        .skip(2)
                        .map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "probe or detector 2 3000.0 3000.0 3200.0 3200.0",
                        "stable-after 2 5000.0 5000.0 5100.0 5100.0",
                        "margin and removal 2 200.0 200.0 250.0 250.0",
                        "shards and runs move 3 250.0 350.0 500.0 500.0",
                        "place and journal 3 10.0 10.0 20.0 20.0",
                        "sandbox and agent start 3 490.0 490.0 2380.0 2380.0");
    }

    @Test
    void falseAlarmsOfAShortDetectorArePrintedWithTheTimes() {
        assertThat(FailoverCommand.alarms(
                        new FailoverTrial.Report(List.of(FIRST, SECOND), Driver.DOCKER, 4, Duration.ofSeconds(90))))
                .isEqualTo("false alarms (a node missed a peer that lived): 4 in 90 s;"
                        + " runs of other nodes that lost their sandboxes: 1\n");
    }

    @ParameterizedTest
    @CsvSource({
        "--runs, 0, --runs is from 1 to 500",
        "--runs, 501, --runs is from 1 to 500",
        "--repeat, 0, --repeat from 1 to 100",
        "--set, detector, should be in KEY=VALUE format",
    })
    void invalidOptionsAreRefusedBeforeAnythingIsStarted(String option, String value, String why) {
        CommandLine line = Bench.commandLine();
        StringWriter err = new StringWriter();
        line.setErr(new PrintWriter(err));

        int code = line.execute("failover", option, value);

        assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains(why);
    }

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private static Move move(long interrupted, long starting, long started) {
        return new Move(millis(interrupted), millis(starting), millis(started));
    }

    private static Loss loss(long empty, long ended, long removed) {
        return new Loss(millis(empty), Optional.of(millis(ended)), millis(removed));
    }
}
