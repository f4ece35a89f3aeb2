package dev.vivarium.loadtests.history;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.loadtests.history.PeerNotices.Absence;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.LastProcesses;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Starts a cluster, kills one of its nodes while each holds many live runs, and records what follows; then restarts the
 * node and kills the next one.
 */
public final class FailoverTrial {
    private static final Duration FILL_MAX = Duration.ofMinutes(10);
    private static final Duration FAILOVER_MAX = Duration.ofMinutes(5);
    private static final Duration CALM_MAX = Duration.ofMinutes(3);
    private static final long LOOK_MILLIS = 250;

    private final Setup setup;
    private final Consumer<String> progress;
    private final List<Absence> absences = new ArrayList<>();

    /**
     * The trial's parameters.
     *
     * @param site where to put the cluster
     * @param nodes how many, at least 3
     * @param image the runs' image; must contain {@code sleep}
     * @param settings configuration that overrides the defaults on all nodes, by full key
     */
    public record Setup(ClusterSite site, int nodes, String image, Map<String, String> settings) {
        public Setup {
            settings = Map.copyOf(settings);
        }
    }

    /**
     * The observations.
     *
     * @param failovers the nodes' deaths
     * @param driver what makes the nodes' sandboxes
     * @param falseAlarms how often a node reported a live peer as missed
     * @param watched how long the cluster was up
     */
    public record Report(List<Failover> failovers, Driver driver, int falseAlarms, Duration watched) {
        public Report {
            failovers = List.copyOf(failovers);
        }
    }

    public FailoverTrial(Setup setup, Consumer<String> progress) {
        this.setup = setup;
        this.progress = progress;
    }

    /**
     * Runs the trial. Everything it starts has ended when it returns.
     *
     * @param kills how many nodes are killed, in sequence
     * @param runs how many live runs each node holds at least when one is killed
     */
    public Report measure(int kills, int runs) throws IOException {
        EngineApi engine = EngineApi.of(setup.site().environment());
        try (Cluster cluster = new Cluster(setup.site(), Map.of(), setup.nodes(), setup.settings());
                SandboxLog log = new SandboxLogs(engine)) {
            progress.accept("starting the store and " + setup.nodes() + " nodes in "
                    + setup.site().folder());
            cluster.up();
            Instant up = Instant.now();
            Driver driver = cluster.driver();
            List<Failover> failovers = new ArrayList<>();
            for (int kill = 1; kill <= kills; kill++) {
                failovers.add(once(cluster, log, kill, runs));
            }
            int falseAlarms = 0;
            for (int node = 1; node <= setup.nodes(); node++) {
                falseAlarms += notices(cluster, node).falseAlarms(absences);
            }
            return new Report(failovers, driver, falseAlarms, Duration.between(up, Instant.now()));
        }
    }

    private Failover once(Cluster cluster, SandboxLog log, int kill, int runs) throws IOException {
        int victim = 1 + kill % setup.nodes();
        String name = Cluster.name(victim);
        NodeClient asked = survivor(cluster, victim);
        progress.accept("kill " + kill + ": starting runs until " + name + " holds " + runs);
        Set<String> all = fill(asked, log, name, kill, runs);
        List<SandboxLife> before = live(log, all);
        List<SandboxLife> held =
                before.stream().filter(sandbox -> sandbox.node().equals(name)).toList();
        progress.accept(
                "kill " + kill + ": " + name + " dies with " + held.size() + " of " + before.size() + " live runs");
        try (LastProcesses processes = LastProcesses.watch(log.processes(held))) {
            return follow(cluster, log, new Death(victim, all, before, held), processes);
        }
    }

    /**
     * A node about to be killed.
     *
     * @param runs all runs of the cluster
     * @param before all sandboxes
     * @param held those of the node
     */
    private record Death(int victim, Set<String> runs, List<SandboxLife> before, List<SandboxLife> held) {}

    private Failover follow(Cluster cluster, SandboxLog log, Death death, LastProcesses processes) throws IOException {
        int victim = death.victim;
        String name = Cluster.name(victim);
        NodeClient asked = survivor(cluster, victim);
        // Taken before the signal is sent, so that no duration is too short.
        Instant killed = Instant.now();
        cluster.signal(name, "KILL");
        awaitNextAttempts(log, name, death.held);
        List<Failover.Move> moves = new ArrayList<>();
        for (SandboxLife sandbox : death.held) {
            moves.add(Failover.move(awaitStarted(asked, sandbox.run(), name, killed), name, killed));
        }
        Failover failover = new Failover(
                name,
                Duration.between(killed, noticed(cluster, victim, PeerNotices.Kind.MISSED, killed)),
                Duration.between(killed, noticed(cluster, victim, PeerNotices.Kind.GIVEN_UP, killed)),
                Duration.between(killed, noticed(cluster, victim, PeerNotices.Kind.REMOVED, killed)),
                moves,
                losses(log, death.held, processes, killed),
                disturbed(log, death.before, name));
        progress.accept(name + ": all of its runs run again; restoring the cluster");
        cancelAll(asked, death.runs);
        cluster.start(name);
        absences.add(new Absence(setup.site().peer(victim), killed, Instant.now()));
        awaitWhole(cluster, log, death.runs);
        return failover;
    }

    /** A surviving node to query. */
    private static NodeClient survivor(Cluster cluster, int victim) {
        return cluster.clients().get(victim == 1 ? 1 : 0);
    }

    /** Runs are placed by free capacity, so that all nodes fill evenly; returns all runs once they run. */
    private Set<String> fill(NodeClient asked, SandboxLog log, String node, int kill, int runs) throws IOException {
        Instant latest = Instant.now().plus(FILL_MAX);
        Set<String> all = new HashSet<>();
        Optional<Exchange.Answer> refusal = Optional.empty();
        int asks = 0;
        int held = 0;
        while (held < runs) {
            if (Instant.now().isAfter(latest)) {
                throw new IOException(node + " holds " + held + " of " + all.size() + " runs after "
                        + FILL_MAX.toMinutes() + " minutes, and was to hold " + runs + "."
                        + refusal.map(answer -> " The last refusal: " + answer + ".")
                                .orElse(""));
            }
            for (int more = held; more < runs; more++) {
                Exchange.Answer answer = asked.submit(sleeper(), "failover-" + kill + "-" + ++asks);
                if (answer instanceof Exchange.Accepted accepted) {
                    all.add(accepted.run());
                } else {
                    refusal = Optional.of(answer);
                    Pauses.millis(LOOK_MILLIS);
                }
            }
            awaitRunning(asked, log, all, latest);
            held = (int) live(log, all).stream()
                    .filter(sandbox -> sandbox.node().equals(node))
                    .count();
        }
        return all;
    }

    private static void awaitRunning(NodeClient asked, SandboxLog log, Set<String> all, Instant latest)
            throws IOException {
        Set<String> waiting = new HashSet<>(all);
        while (!waiting.isEmpty() && Instant.now().isBefore(latest)) {
            Pauses.millis(LOOK_MILLIS);
            Map<String, RunStatus> listed = asked.list();
            waiting.removeIf(run -> listed.get(run) == RunStatus.RUNNING);
        }
        if (!waiting.isEmpty()) {
            throw new IOException(waiting.size() + " of " + all.size() + " runs do not run after "
                    + FILL_MAX.toMinutes() + " minutes, with " + live(log, all).size() + " sandboxes.");
        }
    }

    private ObjectNode sleeper() {
        ObjectNode body = NodeClient.submission(setup.image(), "sleep", "7200");
        body.putObject("limits")
                .put("memory", "64Mi")
                .put("disk", "4Mi")
                .put("pids", 16)
                .put("cpu", "100m")
                .put("wallClock", "2h")
                .put("idle", "2h");
        body.put("onNodeLoss", "restart").put("maxAttempts", 10);
        return body;
    }

    private static List<SandboxLife> live(SandboxLog log, Set<String> runs) throws IOException {
        return sandboxes(log, runs).stream()
                .filter(sandbox -> sandbox.ended().isEmpty())
                .toList();
    }

    private static List<SandboxLife> sandboxes(SandboxLog log, Set<String> runs) throws IOException {
        return log.sandboxes(runs).stream()
                .filter(sandbox -> runs.contains(sandbox.run()))
                .toList();
    }

    /** By what is seen from outside alone, so that no node under measurement is queried. */
    private static void awaitNextAttempts(SandboxLog log, String dead, List<SandboxLife> held) throws IOException {
        Set<String> runs = held.stream().map(SandboxLife::run).collect(Collectors.toSet());
        Instant latest = Instant.now().plus(FAILOVER_MAX);
        long again = 0;
        while (again < runs.size()) {
            if (Instant.now().isAfter(latest)) {
                throw new IOException(again + " of " + runs.size() + " runs run again " + FAILOVER_MAX.toMinutes()
                        + " minutes after their node was killed.");
            }
            Pauses.millis(LOOK_MILLIS);
            again = live(log, runs).stream()
                    .filter(sandbox -> !sandbox.node().equals(dead))
                    .count();
        }
    }

    /** A run's events, up to the start of its agent elsewhere, which follows its sandbox's. */
    private static Journal awaitStarted(NodeClient asked, String run, String dead, Instant killed) throws IOException {
        Instant latest = Instant.now().plus(CALM_MAX);
        while (true) {
            Journal journal = asked.journal(run, Optional.empty())
                    .orElseThrow(() -> new IOException("The cluster has lost run " + run + "."));
            boolean elsewhere = journal.entries().stream()
                    .map(Journal.Entry::event)
                    .anyMatch(event -> event instanceof RunEvent.AttemptStarted
                            && event.at().isAfter(killed)
                            && !event.node().equals(dead));
            if (elsewhere || journal.shown().isTerminal() || Instant.now().isAfter(latest)) {
                return journal;
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    private static List<Failover.Loss> losses(
            SandboxLog log, List<SandboxLife> held, LastProcesses processes, Instant killed) throws IOException {
        Set<String> runs = held.stream().map(SandboxLife::run).collect(Collectors.toSet());
        Set<String> containers = held.stream().map(SandboxLife::id).collect(Collectors.toSet());
        List<Failover.Loss> losses = new ArrayList<>();
        for (SandboxLife sandbox : sandboxes(log, runs)) {
            if (containers.contains(sandbox.id())) {
                losses.add(new Failover.Loss(
                        Duration.between(killed, required(processes.gone(sandbox.id()), sandbox)),
                        engineSaidOf(sandbox, killed),
                        Duration.between(killed, required(log.removed(sandbox), sandbox))));
            }
        }
        return losses;
    }

    /** With the driver oci nobody reports an end but the kernel. */
    private static Optional<Duration> engineSaidOf(SandboxLife sandbox, Instant killed) throws IOException {
        return sandbox.driver() == Driver.OCI
                ? Optional.empty()
                : Optional.of(Duration.between(killed, required(sandbox.ended(), sandbox)));
    }

    private static Instant required(Optional<Instant> gone, SandboxLife sandbox) throws IOException {
        return gone.orElseThrow(() -> new IOException("Sandbox " + sandbox.id() + " of run " + sandbox.run()
                + " still exists, although the run has its next one."));
    }

    private static int disturbed(SandboxLog log, List<SandboxLife> before, String dead) throws IOException {
        Set<String> runs = before.stream().map(SandboxLife::run).collect(Collectors.toSet());
        Set<String> live = live(log, runs).stream().map(SandboxLife::id).collect(Collectors.toSet());
        return (int) before.stream()
                .filter(sandbox -> !sandbox.node().equals(dead) && !live.contains(sandbox.id()))
                .count();
    }

    private static PeerNotices notices(Cluster cluster, int node) throws IOException {
        return PeerNotices.read(Files.readAllLines(cluster.log(Cluster.name(node))));
    }

    /** When a peer of a dead node first logged this about it. */
    private Instant noticed(Cluster cluster, int dead, PeerNotices.Kind kind, Instant killed) throws IOException {
        List<Instant> said = new ArrayList<>();
        for (int node = 1; node <= setup.nodes(); node++) {
            if (node != dead) {
                notices(cluster, node)
                        .first(kind, setup.site().peer(dead), killed)
                        .ifPresent(said::add);
            }
        }
        return said.stream()
                .min(Comparator.naturalOrder())
                .orElseThrow(
                        () -> new IOException("No node has logged that " + Cluster.name(dead) + " is " + kind + "."));
    }

    private static void cancelAll(NodeClient asked, Set<String> runs) throws IOException {
        for (String run : runs) {
            Exchange.Answer answer = asked.cancel(run);
            if (!(answer instanceof Exchange.Accepted)) {
                throw new IOException("Run " + run + " is not to be cancelled: " + answer + ".");
            }
        }
    }

    private static void awaitWhole(Cluster cluster, SandboxLog log, Set<String> runs) throws IOException {
        Instant latest = Instant.now().plus(CALM_MAX);
        while (!live(log, runs).isEmpty() || !areReady(cluster)) {
            if (Instant.now().isAfter(latest)) {
                throw new IOException("The cluster has not recovered within " + CALM_MAX.toMinutes()
                        + " minutes of its node's start.");
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    private static boolean areReady(Cluster cluster) throws IOException {
        for (NodeClient client : cluster.clients()) {
            if (!client.isReady()) {
                return false;
            }
        }
        return true;
    }
}
