package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.journal.ChainCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node whose disk is full: a small file system that only root can mount. */
@Timeout(300)
class FullDiskOfANodeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int SUBMISSIONS_MAX = 300;

    private Path mounted;

    @BeforeEach
    void mount() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        mounted = DataDirectory.newFolder("vivarium-small-");
        Commands.run("mount", "-t", "tmpfs", "-o", "size=160m,mode=0711", "tmpfs", mounted.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        if (mounted != null) {
            Commands.run("umount", mounted.toString());
            Files.delete(mounted);
        }
    }

    @Test
    void onAFullDiskSubmissionsAreRefusedAndTheNodeContinuesWhenThereIsRoom() throws Exception {
        DataDirectory data = DataDirectory.on(mounted);
        List<String> accepted = new ArrayList<>();
        try (WholeNode node = WholeNode.on(data).go()) {
            accepted.add(node.submit(Agent.python("print('before')")).acceptedRun());
            node.awaitEnd(accepted.get(0));

            // when
            Path ballast = fill();
            Answer refused = submitUntilRefused(node, accepted);

            // then
            refused.assertProblem(503, "store-unavailable");
            int before = accepted.size();

            // when
            Files.delete(ballast);

            // then
            await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 200);
            await().atMost(PATIENCE).until(() -> {
                Answer answer = node.submit(Agent.python("print('after')"));
                if (answer.status() == 202) {
                    accepted.add(answer.acceptedRun());
                }
                return answer.status() == 202;
            });
            for (String run : accepted) {
                assertThat(node.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
                assertThat(node.history(run)).filteredOn(History::isEnd).hasSize(1);
            }
            System.out.printf(
                    "disk full: refused after %d more were accepted; all %d accepted ones ended once there was room%n",
                    before - 1, accepted.size());
            assertThat(node.stop()).isZero();
        }
        assertThat(data.chains(accepted))
                .allSatisfy((run, verdict) -> assertThat(verdict).isInstanceOf(ChainCheck.Intact.class));
    }

    private Path fill() throws IOException {
        Path ballast = mounted.resolve("ballast");
        byte[] block = new byte[64 << 10];
        try (var out = Files.newOutputStream(ballast)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            return ballast;
        }
    }

    /** The store's log has preallocated room; large files use it up quickly. */
    private static Answer submitUntilRefused(WholeNode node, List<String> accepted) throws Exception {
        Agent large = Agent.python("print('large')").file("data", incompressible());
        for (int i = 0; i < SUBMISSIONS_MAX; i++) {
            Answer answer = node.submit(large);
            if (answer.status() != 202) {
                return answer;
            }
            accepted.add(answer.acceptedRun());
        }
        throw new AssertionError("The disk never filled up.");
    }

    private static String incompressible() {
        StringBuilder text = new StringBuilder();
        new java.util.Random(1).ints(1 << 20, 'a', 'z' + 1).forEach(letter -> text.append((char) letter));
        return text.toString();
    }
}
