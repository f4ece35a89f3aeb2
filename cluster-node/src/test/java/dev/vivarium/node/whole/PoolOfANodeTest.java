package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.trials.outside.LeftoverScan;
import dev.vivarium.trials.outside.Leftovers;
import java.io.IOException;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node keeps sandboxes ready for the runs that it expects; a run cannot tell one from a new one. */
@Timeout(300)
class PoolOfANodeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Leftovers NOTHING = new Leftovers(0, OptionalInt.of(0), 0);
    /** What an agent sees of its limits, its place and its network. */
    private static final String SIZES =
            """
            import os, resource, time
            for place in '/workspace', '/tmp', '/dev/shm':
                size = os.statvfs(place)
                print(place, size.f_blocks * size.f_frsize, size.f_files if place != '/dev/shm' else '',
                      len(os.listdir(place)), time.time() - os.stat(place).st_mtime < 30)
            print(resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(os.PRIO_PROCESS, 0))
            print(open('/proc/meminfo').readline().split()[1], os.cpu_count())
            print(open('/etc/resolv.conf').read().strip())
            print([line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]])
            print(sorted(os.environ.keys() - {'VIVARIUM_RUN_ID'}), os.getcwd(), os.uname().nodename)
            print(os.environ.get('MARK'))
            """;

    private final String image = "vivarium-test/pool-" + UlidCreator.getUlid().toLowerCase();

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void aRunThatGetsASandboxThatWaitedSeesWhatItSeesInANewOne() throws Exception {
        Commands.run("docker", "tag", "vivarium/python", image);
        WholeNode node = WholeNode.on(data).go();
        try (LeftoverScan census = node.census()) {
            // given
            Agent small = Agent.python(SIZES).image(image);
            Agent large = small.limit("memory", "200Mi").limit("disk", "48Mi");
            String newOne = printedBy(node, large, "COLD");
            awaitWaiting(node, 1);

            // when, then
            assertThat(printedBy(node, large, "WARM")).isEqualTo(newOne).contains("/workspace 50331648 ");
            awaitWaiting(node, 1);
            assertThat(printedBy(node, small, "WARM"))
                    .contains("/workspace 16777216")
                    .contains("65536 1");

            String networked = printedBy(node, large.egress("public"), "COLD");
            awaitWaiting(node, 2);
            assertThat(printedBy(node, large.egress("public"), "WARM"))
                    .isEqualTo(networked)
                    .contains("'eth0'");

            // and a name that means another image now has no sandboxes that wait
            awaitWaiting(node, 2);
            rebuild();
            assertThat(printedBy(node, small, "COLD")).contains("\nnew");

            // and nothing outlives the node
            awaitWaiting(node, 1);
            assertThat(census.count().waiting()).isPositive();
            node.kill();
            await().atMost(PATIENCE).until(() -> census.count().equals(NOTHING));
        } finally {
            node.close();
            Commands.run("docker", "rmi", "-f", image);
        }
    }

    @Test
    @Tag("long")
    void aNodeThatIsToKeepNoneKeepsNoneAndADrainingOneLetsThemGo() throws Exception {
        try (WholeNode none =
                WholeNode.on(data).with("--set", "vivarium.pool.ceiling=0").go()) {
            assertThat(printedBy(none, Agent.python("print('one')"), "COLD")).isEqualTo("one\n");
            assertThat(printedBy(none, Agent.python("print('two')"), "COLD")).isEqualTo("two\n");
            assertThat(none.stop()).isZero();
        }
        try (WholeNode some = WholeNode.on(data)
                        .with(
                                "--set", "vivarium.pool.floors.0.image=vivarium/python",
                                "--set", "vivarium.pool.floors.0.isolation=container",
                                "--set", "vivarium.pool.floors.0.network=none",
                                "--set", "vivarium.pool.floors.0.waiting=3")
                        .go();
                LeftoverScan census = some.census()) {
            awaitWaiting(some, 3);
            assertThat(some.stop()).isZero();
            assertThat(census.count()).isEqualTo(NOTHING);
        }
    }

    private void rebuild() throws Exception {
        String container = "vivarium-test-pool-" + UlidCreator.getUlid().toLowerCase();
        Commands.run("docker", "create", "--name", container, "vivarium/python", "true");
        Commands.run("docker", "commit", "--change", "ENV MARK=new", container, image);
        Commands.run("docker", "rm", container);
    }

    /** What a run prints whose sandbox is of this birth. */
    private static String printedBy(WholeNode node, Agent agent, String birth) throws Exception {
        String run = node.submit(agent).acceptedRun();
        JsonNode end = node.awaitEnd(run);
        assertThat(end.path("status").asText()).as(end.toString()).isEqualTo("SUCCEEDED");
        assertThat(end.path("start").path("birth").asText()).as(end.toString()).isEqualTo(birth);
        return node.printed(run);
    }

    private static void awaitWaiting(WholeNode node, int atLeast) {
        await().atMost(PATIENCE).until(() -> pool(node).path("waiting").asInt() >= atLeast);
    }

    private static JsonNode pool(WholeNode node) throws IOException, InterruptedException {
        return node.get("/v1/nodes").body().path("nodes").path(0).path("pool");
    }
}
