package dev.vivarium.node.cli.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeCommandTest {
    private static final Path FOLDER = Path.of("/clusters/one");
    private static final ClusterPlan PLAN =
            new ClusterPlan(3, 8080, 25_620, "30s", Map.of("vivarium.queue.runs-max", "7"));

    @Test
    void aNodeListensAtItsOwnAddressAndKeepsItsDataInItsOwnFolder() {
        assertThat(words(Map.of()))
                .containsSubsequence("dev.vivarium.node.cli.Vivarium", "up", "--host", "127.0.0.2", "--port", "8080")
                .containsSubsequence("--data", "/clusters/one/node-2/data", "--drain", "30s")
                .contains("vivarium.cluster.node-name=node-2", "vivarium.cluster.host=127.0.0.2")
                .contains("vivarium.queue.runs-max=7");
    }

    @Test
    void aUsersJavaOptionsComeAfterTheProgramsOwn() {
        assertThat(words(Map.of("VIVARIUM_JAVA_OPTS", " -Xmx1g  -Da=b ")))
                .containsSubsequence("-Xmx512m", "-Xmx1g", "-Da=b", "-cp");
    }

    @Test
    void theClassPathIsValidInTheFolderOfTheNode() {
        List<String> words = words(Map.of());

        assertThat(words.get(words.indexOf("-cp") + 1).split(":", -1)).allMatch(entry -> entry.startsWith("/"));
    }

    private static List<String> words(Map<String, String> environment) {
        LocalCluster.Surroundings around = new LocalCluster.Surroundings(
                (configuration, settings) -> "",
                "",
                environment,
                Path.of("/home"),
                Path.of("/vivarium"),
                sentence -> {},
                NodeClock.system());
        return new NodeCommand(FOLDER, around).words(PLAN, 2, new LocalCluster(FOLDER, around).node(2));
    }
}
