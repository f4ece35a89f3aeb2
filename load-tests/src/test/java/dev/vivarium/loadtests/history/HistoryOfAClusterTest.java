package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A short trial of whole processes with a fixed seed; {@code ./vivarium bench history} runs longer ones, and others. */
@Tag("long")
@Timeout(900)
class HistoryOfAClusterTest {
    private static final long SEED = 46;
    private static final Set<Fault.Kind> KINDS =
            EnumSet.of(Fault.Kind.KILL, Fault.Kind.FREEZE, Fault.Kind.CUT, Fault.Kind.STORE);

    private static final Duration SPAN = Duration.ofSeconds(75);
    private static final Duration ORPHAN = Duration.ofSeconds(15);

    private static final Path NODE =
            Path.of("..", "cluster-node", "target").toAbsolutePath().normalize();
    private static final Path CASSANDRA = Path.of("..", "persistence", "target", "test-classes", "cassandra.classpath");

    /** The home of the nodes. */
    @TempDir
    private Path home;

    @Test
    void everyInvariantHoldsWhileNodesFail() throws IOException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        assertThat(NODE.resolve("vivarium-node.jar"))
                .as("the node, which the whole build (./vivarium test) builds before this test")
                .exists();
        Path folder = Files.createTempDirectory(Path.of("/tmp"), "vivarium-history-");

        Findings findings = new HistoryTrial(
                        new HistoryTrial.Setup(
                                new ClusterSite(
                                        program(), System.getenv(), home, folder.resolve("cluster"), 19_081, 27_720),
                                3,
                                6,
                                "vivarium/python",
                                ORPHAN,
                                Optional.empty(),
                                HistoryTrial.Engine.SHARED),
                        System.out::println)
                .carryOut(driver -> plan());
        System.out.println(findings.figures());
        assertThat(findings.complaints()).isEmpty();
        Files.delete(folder);
        assertThat(findings.violations()).isEmpty();
        // The trial was not empty. How many runs a fault hits varies: agents end by themselves within seconds.
        Trial trial = findings.trial();
        assertThat(trial.journals()).hasSizeGreaterThan(10);
        assertThat(trial.losses()).extracting(NodeLoss::cause).contains(NodeLoss.Cause.values());
    }

    /** Kills of launchers take as long again, and have RandomKillsTest. */
    private static FaultPlan plan() {
        FaultPlan plan = FaultPlan.of(SEED, 3, KINDS, SPAN);
        assertThat(plan.faults()).extracting(Fault::kind).containsAll(KINDS);
        return plan;
    }

    /** The command that the launcher would start, without its builds. */
    private static List<String> program() throws IOException {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dvivarium.root=" + NODE.getParent().getParent(),
                "-Dvivarium.cassandra=" + Files.readString(CASSANDRA).strip(),
                "-cp",
                NODE.resolve("vivarium-node.jar") + ":" + NODE.resolve("lib") + "/*",
                "dev.vivarium.node.cli.Vivarium");
    }
}
