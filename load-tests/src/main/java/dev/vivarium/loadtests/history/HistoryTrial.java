package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.PrivateEngine;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One trial: starts a cluster with clients, carries out a plan of faults, waits for all runs to end, and checks the
 * observations.
 */
public final class HistoryTrial {
    /** The longest time from the end of the last fault until every run has ended. */
    private static final Duration SETTLE_MAX = Duration.ofMinutes(3);

    private static final Duration LEFT_MAX = Duration.ofSeconds(30);
    private static final Duration READ_MAX = Duration.ofSeconds(60);
    private static final long LOOK_MILLIS = 500;

    private final Setup setup;
    private final Consumer<String> progress;

    /**
     * The trial's parameters.
     *
     * @param site where to put the cluster
     * @param nodes how many
     * @param clients how many clients
     * @param image the agents' image; must contain python3
     * @param orphan how long a sandbox may outlive the end of its owner
     * @param driver what makes the nodes' sandboxes; empty: as the nodes decide
     * @param engine whose container engine it is
     */
    public record Setup(
            ClusterSite site,
            int nodes,
            int clients,
            String image,
            Duration orphan,
            Optional<Driver> driver,
            Engine engine) {}

    /** Whose container engine the nodes use. */
    public enum Engine {
        /** The machine's, which nobody kills. */
        SHARED,
        /** The trial's own, which may be killed. */
        OWN
    }

    /** Chooses the faults when the nodes' driver is known. */
    public interface Planner {
        FaultPlan plan(Driver driver) throws IOException;
    }

    /** A node's default lease (vivarium.cluster.fencing.lease). */
    private static final Duration LEASE = Duration.ofSeconds(14);

    public HistoryTrial(Setup setup, Consumer<String> progress) {
        this.setup = setup;
        this.progress = progress;
    }

    /** Carries out a plan. Everything it starts has ended when it returns. */
    public Findings carryOut(Planner planner) throws IOException {
        if (setup.engine() == Engine.SHARED) {
            return onEngine(planner, Optional.empty(), EngineApi.of(setup.site().environment()), Map.of());
        }
        progress.accept("starting a container engine for this trial alone");
        try (PrivateEngine engine = PrivateEngine.start(setup.image())) {
            URI address = engine.address();
            return onEngine(
                    planner, Optional.of(engine), new EngineApi(address), Map.of("DOCKER_HOST", address.toString()));
        }
    }

    private Findings onEngine(
            Planner planner, Optional<PrivateEngine> engine, EngineApi api, Map<String, String> environment)
            throws IOException {
        progress.accept("starting the store and " + setup.nodes() + " nodes in "
                + setup.site().folder());
        Map<String, String> settings = setup.driver().map(Driver::settings).orElse(Map.of());
        try (Cluster cluster = new Cluster(setup.site(), environment, setup.nodes(), settings);
                SandboxLog log = new SandboxLogs(api)) {
            cluster.up();
            Driver driver = cluster.driver();
            FaultPlan plan = planner.plan(driver);
            Findings findings = Findings.of(broken(plan, driver, cluster, engine, log));
            if (!findings.violations().isEmpty()) {
                progress.accept("the logs of nodes and store are kept in " + cluster.keepLogs());
            }
            return findings;
        }
    }

    private Trial broken(FaultPlan plan, Driver driver, Cluster cluster, Optional<PrivateEngine> engine, SandboxLog log)
            throws IOException {
        Clients clients = Clients.begin(plan.seed(), cluster.clients(), setup.image(), setup.clients());
        try (Breaker breaker = new Breaker(cluster, engine, progress)) {
            awaitLoad(clients);
            breaker.carryOut(plan);
            progress.accept("no more faults and no more new runs: waiting for the existing ones to end");
            close(clients);
            settle(cluster, clients);
            Set<String> runs = runs(cluster, clients);
            List<String> left = awaitNothingLeft(log, runs);
            progress.accept("reading the journals of " + runs.size() + " runs");
            return new Trial(
                    clients.tasks(),
                    clients.exchanges(),
                    journals(cluster, runs),
                    driver,
                    log.sandboxes(runs),
                    breaker.losses(),
                    breaker.outages(),
                    breaker.marks(),
                    left,
                    breaker.stuck(),
                    new Trial.Bounds(setup.orphan(), LEASE));
        }
    }

    /** A fault without load would show nothing. */
    private void awaitLoad(Clients clients) throws IOException {
        Instant latest = Instant.now().plus(READ_MAX);
        while (clients.exchanges().stream()
                                .filter(exchange -> exchange.answer() instanceof Exchange.Accepted)
                                .map(Exchange::key)
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

    /** Waits for all runs to end, and cancels those that never end by themselves. */
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

    /** All known runs. */
    private static Set<String> runs(Cluster cluster, Clients clients) throws IOException {
        Set<String> runs = new HashSet<>(list(cluster).keySet());
        clients.exchanges().forEach(exchange -> {
            if (exchange.answer() instanceof Exchange.Accepted accepted) {
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

    /** Asks the nodes in turn until one answers. */
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

    private static List<String> awaitNothingLeft(SandboxLog log, Set<String> runs) throws IOException {
        Instant latest = Instant.now().plus(LEFT_MAX);
        List<String> left = log.left(runs);
        while (!left.isEmpty() && Instant.now().isBefore(latest)) {
            Pauses.millis(LOOK_MILLIS);
            left = log.left(runs);
        }
        return left;
    }
}
