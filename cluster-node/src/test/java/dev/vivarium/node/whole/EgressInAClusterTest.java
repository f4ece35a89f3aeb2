package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.network.KernelTraces;
import dev.vivarium.node.network.TestHosts;
import dev.vivarium.node.network.resolver.FakeUpstream;
import dev.vivarium.trials.outside.Internet;
import dev.vivarium.trials.outside.LeftoverScan;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two nodes of one cluster attach networks on one machine: an agent reaches the same hosts wherever it runs, and a killed
 * node opens nothing, neither for its own sandboxes nor for the other's, and leaves nothing in the kernel.
 */
@Tag("long")
@Timeout(400)
class EgressInAClusterTest {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int SUBMISSIONS_MAX = 8;
    /** Further lines of an agent, which show that it continues as before. */
    private static final int ROUNDS = 3;

    private static final String SURVIVOR = WholeCluster.name(1);
    private static final String VICTIM = WholeCluster.name(2);

    private static final String PUBLIC = "itself listed public";
    private static final String LISTED = "itself listed";

    /** Prints in each round which places it reaches, and accepts connections from anywhere. */
    private static final String ROUND =
            """
            import errno, os, select, socket, time, urllib.request

            with open('/etc/resolv.conf') as conf:
                resolver = next(line.split()[1] for line in conf if line.startswith('nameserver'))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect((resolver, 53))
                own = sock.getsockname()[0]
            listener = socket.create_server(('0.0.0.0', 9999), backlog=1024)
            places = {('%s', 80): 'public', ('%s', 80): 'internal', ('%s', 80): 'metadata', (own, 9999): 'itself'}
            for node in '%s'.split():
                if node != resolver:
                    places |= {(node, port): 'another-node' for port in (53, 80, 443, 3128)}
                first = node.rsplit('.', 1)[0]
                places |= {(f'{first}.{last}', 9999): 'neighbour' for last in range(2, 10) if f'{first}.{last}' != own}

            def connected(seconds):
                reached, tried = set(), {}
                for place in places:
                    sock = socket.socket()
                    sock.setblocking(False)
                    if sock.connect_ex(place) in (0, errno.EINPROGRESS):
                        tried[sock] = places[place]
                end = time.monotonic() + seconds
                while (left := end - time.monotonic()) > 0:
                    waiting = [sock for sock in tried if tried[sock] not in reached]
                    for sock in select.select([], waiting, [], left)[1]:
                        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                            reached.add(tried[sock])
                        else:
                            tried.pop(sock).close()
                for sock in tried:
                    sock.close()
                return reached

            def asked():
                try:
                    with urllib.request.urlopen('http://www.vivarium.example.com:8081/', timeout=20) as answer:
                        return {'listed'} if answer.read() == b'reached\\n' else set()
                except OSError:
                    return set()

            while True:
                print('attempt', os.environ['VIVARIUM_ATTEMPT'], 'reaches', *sorted(connected(1) | asked()), flush=True)
            """;

    @Test
    void agentsReachTheSameOnEveryNodeAndAKilledNodeOpensAndLeavesNothing() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        try (TestHosts hosts = new TestHosts("cluster");
                FakeUpstream resolver = new FakeUpstream().has(Internet.NAME, Internet.PUBLIC);
                WholeCluster cluster = new WholeCluster(2, WholeCluster.Formation.SEEDS, number -> settings(resolver));
                LeftoverScan census = cluster.census()) {
            KernelTraces survivors = KernelTraces.of(cluster.installation(), SURVIVOR);
            KernelTraces victims = KernelTraces.of(cluster.installation(), VICTIM);
            WholeNode asked = cluster.node(SURVIVOR);

            // given: the internal hosts exist, and an agent of each kind is on each node
            assertThat(fromAnUnfilteredContainer(hosts)).allMatch(line -> line.endsWith(" reached"));
            long shown = visitsInside(hosts);
            assertThat(shown).isPositive();
            Agent open = agent("public", survivors, victims);
            Agent listed = agent("allowlist", survivors, victims);
            Map<String, String> opens = oneOnEach(cluster, open);
            Map<String, String> listeds = oneOnEach(cluster, listed);
            List<Going> ofTheSurvivor =
                    List.of(new Going(opens.get(SURVIVOR), 1, PUBLIC), new Going(listeds.get(SURVIVOR), 1, LISTED));
            assertContinues(asked, ofTheSurvivor);
            assertContinues(
                    asked, List.of(new Going(opens.get(VICTIM), 1, PUBLIC), new Going(listeds.get(VICTIM), 1, LISTED)));
            List<ProcessHandle> children = cluster.node(VICTIM).children();
            assertThat(victims.links()).hasSize(2);

            // when: a node is killed; one of its sandboxes is frozen and cannot notice, nor can the node's launcher
            String guest = guest(cluster, opens.get(VICTIM));
            String launcher = Long.toString(cluster.node(VICTIM).launcher().pid());
            Commands.run("kill", "-s", "STOP", guest, launcher);
            cluster.node(VICTIM).kill();
            long killed = System.nanoTime();

            // then: its packet filter stays for as long as it has sandboxes
            try {
                assertThat(victims.hasFilter()).isTrue();
                assertThat(from(guest, hosts))
                        .containsExactly(
                                "tcp:" + Internet.PUBLIC + ":80 reached", "tcp:" + Internet.INTERNAL + ":80 not");
                await().atMost(PATIENCE).until(() -> victims.links().size() <= 1);
                assertContinues(asked, ofTheSurvivor);
                await().atMost(PATIENCE).until(() -> victims.links().isEmpty());
            } finally {
                resume(guest);
                resume(launcher);
            }
            System.out.printf(
                    "a sandbox that could not notice its node's end was gone %d ms later%n",
                    (System.nanoTime() - killed) / 1_000_000);
            assertThat(victims.hasFilter()).isTrue();

            // and its runs continue elsewhere, and reach the same
            assertThat(asked.awaitRunning(opens.get(VICTIM), 2).path("node").asText())
                    .isEqualTo(SURVIVOR);
            assertThat(asked.awaitRunning(listeds.get(VICTIM), 2).path("node").asText())
                    .isEqualTo(SURVIVOR);
            assertContinues(
                    asked, List.of(new Going(opens.get(VICTIM), 2, PUBLIC), new Going(listeds.get(VICTIM), 2, LISTED)));

            // when
            cluster.startAgain(2);

            // then: it attaches networks again, and has not disturbed the other
            Map<String, String> again = oneOnEach(cluster, open);
            assertContinues(asked, List.of(new Going(again.get(VICTIM), 1, PUBLIC)));
            assertContinues(asked, ofTheSurvivor);

            // when: all runs are cancelled
            for (Map<String, String> runs : List.of(opens, listeds, again)) {
                for (String run : runs.values()) {
                    cancel(asked, run);
                }
            }
            await().atMost(PATIENCE).until(() -> census.count().isNothing());
            for (WholeNode node : cluster.nodes()) {
                assertThat(node.stop()).as(node::log).isZero();
            }

            // then
            assertThat(survivors.all()).isEmpty();
            assertThat(victims.all()).isEmpty();
            assertThat(children).noneMatch(ProcessHandle::isAlive);
            assertThat(visitsInside(hosts)).isEqualTo(shown);
            assertThat(cluster.twins()).isEmpty();
        }
    }

    private static Map<String, String> settings(FakeUpstream resolver) {
        return Map.of(
                // The links of runs are counted.
                "vivarium.pool.ceiling",
                "0",
                "vivarium.egress.names.upstream.0",
                "127.0.0.1:" + resolver.address().getPort(),
                "vivarium.egress.names.upstream-timeout",
                "10s");
    }

    private static Agent agent(String mode, KernelTraces... nodes) {
        String addresses =
                String.join(" ", Stream.of(nodes).map(KernelTraces::address).toList());
        String[] allowed = mode.equals("allowlist") ? new String[] {"www.vivarium.example.com:8081"} : new String[0];
        return Agent.python(ROUND.formatted(Internet.PUBLIC, Internet.INTERNAL, Internet.METADATA, addresses))
                .egress(mode, allowed)
                .limit("wallClock", "10m")
                .onNodeLoss("restart");
    }

    /** One run of the agent on each node, by the node's name; surplus runs are cancelled. */
    private static Map<String, String> oneOnEach(WholeCluster cluster, Agent agent) throws Exception {
        WholeNode asked = cluster.node(SURVIVOR);
        Map<String, String> runs = new TreeMap<>();
        List<String> further = new ArrayList<>();
        for (int n = 0; n < SUBMISSIONS_MAX && runs.size() < cluster.nodes().size(); n++) {
            String run = await().atMost(PATIENCE)
                    .until(() -> asked.submit(agent), answer -> answer.status() == 202)
                    .acceptedRun();
            String node = asked.awaitRunning(run, 1).path("node").asText();
            if (runs.putIfAbsent(node, run) != null) {
                further.add(run);
            }
        }
        for (String run : further) {
            cancel(asked, run);
        }
        assertThat(runs).containsOnlyKeys(SURVIVOR, VICTIM);
        return runs;
    }

    private static void cancel(WholeNode asked, String run) throws Exception {
        asked.cancel(run);
        assertThat(asked.awaitEnd(run).path("status").asText()).isEqualTo("CANCELLED");
    }

    /** An agent that should reach the same places throughout its life. */
    private record Going(String run, int attempt, String places) {
        String round() {
            return "attempt " + attempt + " reaches " + places;
        }

        /** The complete rounds that it has printed. */
        List<String> rounds(WholeNode asked) throws IOException, InterruptedException {
            String printed = asked.printed(run);
            return printed.substring(0, printed.lastIndexOf('\n') + 1)
                    .lines()
                    .filter(line -> line.startsWith("attempt " + attempt + " "))
                    .toList();
        }
    }

    /** Waits for some further rounds of each agent and asserts that all of them reach the same. */
    private static void assertContinues(WholeNode asked, List<Going> agents) throws Exception {
        Map<String, Integer> before = new TreeMap<>();
        for (Going agent : agents) {
            before.put(agent.run(), agent.rounds(asked).size());
        }
        for (Going agent : agents) {
            await("rounds of " + agent.run())
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> agent.rounds(asked).size() >= before.get(agent.run()) + ROUNDS);
            assertThat(agent.rounds(asked)).containsOnly(agent.round());
        }
    }

    /** The first process of the run's sandbox, as the host numbers it. */
    private static String guest(WholeCluster cluster, String run) throws Exception {
        return cluster.processes().entrySet().stream()
                .filter(sandbox -> sandbox.getKey().run().equals(run))
                .map(sandbox -> sandbox.getValue().get(0).toString())
                .findFirst()
                .orElseThrow();
    }

    /** Resumes a frozen process, if it still exists. */
    private static void resume(String process) throws Exception {
        if (ProcessHandle.of(Long.parseLong(process)).isPresent()) {
            Commands.run("kill", "-s", "CONT", process);
        }
    }

    /** The places reached from a process's network namespace. */
    private static List<String> from(String process, TestHosts hosts) throws Exception {
        return Commands.run(
                        "nsenter",
                        "--net=/proc/" + process + "/ns/net",
                        "python3",
                        "-c",
                        hosts.probe(),
                        "tcp:" + Internet.PUBLIC + ":80",
                        "tcp:" + Internet.INTERNAL + ":80")
                .lines()
                .toList();
    }

    /** The places that an unfiltered container reaches. */
    private static List<String> fromAnUnfilteredContainer(TestHosts hosts) throws IOException, InterruptedException {
        return Commands.run(
                        "docker",
                        "run",
                        "--rm",
                        "vivarium/python",
                        "python3",
                        "-c",
                        hosts.probe(),
                        "tcp:" + Internet.PUBLIC + ":80",
                        "tcp:" + Internet.INTERNAL + ":80",
                        "tcp:" + Internet.METADATA + ":80")
                .lines()
                .toList();
    }

    private static long visitsInside(TestHosts hosts) {
        return hosts.visits().stream()
                .filter(visit -> visit.startsWith("tcp "))
                .filter(visit ->
                        visit.contains(" " + Internet.INTERNAL + " ") || visit.contains(" " + Internet.METADATA + " "))
                .count();
    }
}
