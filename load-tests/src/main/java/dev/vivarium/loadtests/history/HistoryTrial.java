package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.PrivateEngine;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One trial: puts a cluster up, has clients use it while a plan of faults is carried out, lets everything come to its
 * end, and judges what was seen.
 */
public final class HistoryTrial {
    /** From the end of the last fault until every run must have ended. */
    private static final Duration SETTLE_MAX = Duration.ofMinutes(3);

    private static final Duration LEFT_MAX = Duration.ofSeconds(30);
    private static final Duration READ_MAX = Duration.ofSeconds(60);
    private static final long LOOK_MILLIS = 500;

    private final Setup setup;
    private final Consumer<String> progress;

    /**
     * What it needs.
     *
     * @param site where the cluster is to be
     * @param nodes how many
     * @param clients how many use them
     * @param image what agents run in; it holds python3
     * @param orphan how long a sandbox may outlive the end of its owner
     */
    public record Setup(ClusterSite site, int nodes, int clients, String image, Duration orphan) {}

    /** The lease of a node as it is configured by default (vivarium.cluster.fencing.lease). */
    private static final Duration LEASE = Duration.ofSeconds(14);

    public HistoryTrial(Setup setup, Consumer<String> progress) {
        this.setup = setup;
        this.progress = progress;
    }

    /** Carries a plan out. Everything that it starts has ended when it returns. */
    public Findings carryOut(FaultPlan plan) throws IOException {
        boolean breaksEngine = plan.faults().stream().anyMatch(fault -> fault.kind() == Fault.Kind.ENGINE);
        if (!breaksEngine) {
            return onEngine(plan, Optional.empty(), EngineApi.of(setup.site().environment()), Map.of());
        }
        progress.accept("starting a container engine for this trial alone");
        try (PrivateEngine engine = PrivateEngine.start(setup.image())) {
            URI address = engine.address();
            return onEngine(
                    plan, Optional.of(engine), new EngineApi(address), Map.of("DOCKER_HOST", address.toString()));
        }
    }

    private Findings onEngine(
            FaultPlan plan, Optional<PrivateEngine> engine, EngineApi api, Map<String, String> environment)
            throws IOException {
        progress.accept("starting the store and " + setup.nodes() + " nodes in "
                + setup.site().folder());
        try (Cluster cluster = new Cluster(setup.site(), environment, setup.nodes(), Map.of());
                EngineLog log = new EngineLog(api)) {
            cluster.up();
            Findings findings = Findings.of(broken(plan, cluster, engine, log));
            if (!findings.violations().isEmpty()) {
                progress.accept("what nodes and store have logged is kept in " + cluster.keepLogs());
            }
            return findings;
        }
    }

    private Trial broken(FaultPlan plan, Cluster cluster, Optional<PrivateEngine> engine, EngineLog log)
            throws IOException {
        Clients clients = Clients.begin(plan.seed(), cluster.clients(), setup.image(), setup.clients());
        try (Breaker breaker = new Breaker(cluster, engine, progress)) {
            awaitLoad(clients);
            breaker.carryOut(plan);
            progress.accept("no more faults, and no more runs: waiting for the ends of those that there are");
            close(clients);
            settle(cluster, clients);
            Set<String> runs = runs(cluster, clients);
            String installation = log.installation(runs).orElse("");
            List<String> left = awaitNothingLeft(log, installation);
            progress.accept("reading the journals of " + runs.size() + " runs");
            return new Trial(
                    clients.tasks(),
                    clients.heard(),
                    journals(cluster, runs),
                    log.sandboxes(installation),
                    breaker.losses(),
                    breaker.marks(),
                    left,
                    breaker.stuck(),
                    new Trial.Bounds(setup.orphan(), LEASE));
        }
    }

    /** A fault that meets nobody says nothing. */
    private void awaitLoad(Clients clients) throws IOException {
        Instant latest = Instant.now().plus(READ_MAX);
        while (clients.heard().stream()
                                .filter(heard -> heard.told() instanceof Heard.Accepted)
                                .map(Heard::key)
                                .distinct()
                                .count()
                        < setup.clients()
                && Instant.now().isBefore(latest)) {
            Pauses.millis(LOOK_MILLIS);
        }
    }

    private static void close(Clients clients) throws IOException {
        try {
            clients.close();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    /** Waits for the ends of all runs; those that never end by themselves are asked to, if nobody has. */
    private void settle(Cluster cluster, Clients clients) throws IOException {
        Instant latest = Instant.now().plus(SETTLE_MAX);
        boolean live = true;
        for (int turn = 0; live && Instant.now().isBefore(latest); turn++) {
            live = false;
            int node = turn % setup.nodes();
            NodeClient client = cluster.clients().get(node);
            for (Map.Entry<String, RunStatus> run : list(cluster).entrySet()) {
                if (!run.getValue().isTerminal()) {
                    live = true;
                    cancelEndless(clients, client, run.getKey(), node);
                }
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    private static void cancelEndless(Clients clients, NodeClient client, String run, int node) throws IOException {
        Optional<Task> task = client.journal(run, Optional.empty())
                .flatMap(Journal::key)
                .flatMap(key -> Optional.ofNullable(clients.tasks().get(key)));
        if (task.isPresent() && task.get().kind() == Task.Kind.CANCELLED) {
            clients.cancel(task.get(), run, node);
        }
    }

    /** All runs that anybody knows of. */
    private static Set<String> runs(Cluster cluster, Clients clients) throws IOException {
        Set<String> runs = new HashSet<>(list(cluster).keySet());
        clients.heard().forEach(heard -> {
            if (heard.told() instanceof Heard.Accepted accepted) {
                runs.add(accepted.run());
            }
        });
        return runs;
    }

    private static Map<String, RunStatus> list(Cluster cluster) throws IOException {
        return insist(cluster, NodeClient::list);
    }

    private Map<String, Journal> journals(Cluster cluster, Set<String> runs) throws IOException {
        Map<String, RunStatus> listed = list(cluster);
        Map<String, Journal> journals = new HashMap<>();
        for (String run : runs) {
            insist(cluster, client -> client.journal(run, Optional.ofNullable(listed.get(run))))
                    .ifPresent(journal -> journals.put(run, journal));
        }
        return journals;
    }

    private interface Question<T> {
        T ask(NodeClient client) throws IOException;
    }

    /** Asks one node after the other until one answers. */
    private static <T> T insist(Cluster cluster, Question<T> question) throws IOException {
        Instant latest = Instant.now().plus(READ_MAX);
        for (int turn = 0; ; turn++) {
            try {
                return question.ask(cluster.clients().get(turn % cluster.nodes()));
            } catch (IOException unanswered) {
                if (Instant.now().isAfter(latest)) {
                    throw unanswered;
                }
                Pauses.millis(LOOK_MILLIS);
            }
        }
    }

    private static List<String> awaitNothingLeft(EngineLog log, String installation) throws IOException {
        Instant latest = Instant.now().plus(LEFT_MAX);
        List<String> left = log.left(installation);
        while (!left.isEmpty() && Instant.now().isBefore(latest)) {
            Pauses.millis(LOOK_MILLIS);
            left = new ArrayList<>(log.left(installation));
        }
        return left;
    }
}
