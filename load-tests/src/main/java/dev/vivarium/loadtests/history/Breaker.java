package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Pauses;
import dev.vivarium.loadtests.subject.PrivateEngine;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Carries out a plan of faults in sequence, and acts as the supervisor of a production system: it restarts what has
 * ended. It records what it did, and when nodes could not look after their sandboxes.
 */
final class Breaker implements AutoCloseable {
    /**
     * From the end of a fault until all nodes are ready. It takes seconds on an idle machine, and minutes when many
     * compilers compete with three nodes and a store; a cluster that never recovers has not done so by then.
     */
    private static final Duration REPAIR_MAX = Duration.ofMinutes(8);

    /** Begins the remark about a launcher that was killed. */
    static final String LAUNCHER_KILLED = "killed the launcher";

    private static final Duration DRAIN_MAX = Duration.ofSeconds(90);
    private static final long LOOK_MILLIS = 20;
    private static final long AGAIN_MILLIS = 500;
    private static final int REASON_CHARACTERS_MAX = 300;

    private final Cluster cluster;
    private final Optional<PrivateEngine> engine;
    private final Consumer<String> progress;
    private final List<Trial.Mark> marks = new ArrayList<>();
    private final List<NodeLoss> losses = new ArrayList<>();
    private final List<Trial.Outage> outages = new ArrayList<>();
    private final Map<String, Instant> gone = new TreeMap<>();
    private final List<String> stuck = new ArrayList<>();
    private final ExecutorService repairs = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "repair");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, CompletableFuture<?>> starting = new TreeMap<>();
    private final Thread watch = new Thread(this::watch, "nodes-watch");

    /**
     * Starts watching the nodes.
     *
     * @param engine the engine that may be killed, if any
     * @param progress receives a line for each step
     */
    Breaker(Cluster cluster, Optional<PrivateEngine> engine, Consumer<String> progress) {
        this.cluster = cluster;
        this.engine = engine;
        this.progress = progress;
        watch.setDaemon(true);
        watch.start();
    }

    private void watch() {
        try {
            while (true) {
                for (int node = 1; node <= cluster.nodes(); node++) {
                    look(Cluster.name(node));
                }
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void look(String node) {
        boolean alive = cluster.isAlive(node);
        if (!alive && !gone.containsKey(node)) {
            gone.put(node, Instant.now());
            mark("the process of " + node + " is gone");
        } else if (alive && gone.containsKey(node)) {
            losses.add(new NodeLoss(node, NodeLoss.Cause.GONE, gone.get(node), Optional.of(Instant.now())));
            gone.remove(node);
            mark("there is a process of " + node + " again");
        }
    }

    private synchronized void mark(String text) {
        marks.add(new Trial.Mark(Instant.now(), text));
    }

    // ---- faults

    /** Carries out the plan; returns when the cluster has recovered, or evidently will not. */
    void carryOut(FaultPlan plan) throws IOException {
        int number = 0;
        for (Fault fault : plan.faults()) {
            number++;
            progress.accept("fault " + number + " of " + plan.faults().size() + ": " + fault);
            Pauses.millis(fault.quiet().toMillis());
            Instant begun = Instant.now();
            begin(fault);
            Pauses.millis(fault.lasting().toMillis());
            undo(fault, begun);
            if (fault.after() == Fault.After.WHOLE) {
                awaitWhole(fault.toString());
            }
        }
        awaitWhole("all faults");
    }

    private void begin(Fault fault) throws IOException {
        String node = Cluster.name(fault.node());
        mark("begins: " + fault.kind() + (fault.node() == 0 ? "" : " of " + node));
        switch (fault.kind()) {
            case KILL -> cluster.signal(node, "KILL");
            case FREEZE -> cluster.signal(node, "STOP");
            case CUT -> cluster.cutOff(fault.node());
            case STOP -> cluster.signal(node, "TERM");
            case STORE -> cluster.signal(Cluster.STORE, "KILL");
            case ENGINE -> privateEngine().kill();
            case LAUNCHER -> mark(
                    cluster.killLauncher(node)
                            ? LAUNCHER_KILLED + " of " + node
                            : "there is no launcher of " + node + " to kill");
        }
    }

    private void undo(Fault fault, Instant begun) throws IOException {
        String node = Cluster.name(fault.node());
        mark("is undone: " + fault.kind() + (fault.node() == 0 ? "" : " of " + node));
        switch (fault.kind()) {
            case KILL -> start(node);
            case FREEZE -> {
                cluster.signal(node, "CONT");
                outOfTouch(node, begun);
            }
            case CUT -> {
                cluster.heal();
                outOfTouch(node, begun);
            }
            case STOP -> {
                awaitEnd(node);
                start(node);
            }
            case STORE -> {
                start(Cluster.STORE);
                outage(Fault.Kind.STORE, begun);
            }
            case ENGINE -> {
                privateEngine().comeBack();
                outage(Fault.Kind.ENGINE, begun);
            }
            case LAUNCHER -> {
                // The node starts another by itself.
            }
        }
    }

    private synchronized void outage(Fault.Kind kind, Instant since) {
        outages.add(new Trial.Outage(kind, since, Instant.now()));
    }

    private PrivateEngine privateEngine() {
        return engine.orElseThrow(() -> new IllegalStateException("Only the trial's own engine may be killed."));
    }

    private synchronized void outOfTouch(String node, Instant since) {
        losses.add(new NodeLoss(node, NodeLoss.Cause.OUT_OF_TOUCH, since, Optional.of(Instant.now())));
    }

    private void awaitEnd(String node) throws IOException {
        Instant latest = Instant.now().plus(DRAIN_MAX);
        while (cluster.isAlive(node)) {
            if (Instant.now().isAfter(latest)) {
                stuck(node + " has not stopped in " + DRAIN_MAX.toSeconds() + " s.");
                cluster.signal(node, "KILL");
            }
            Pauses.millis(AGAIN_MILLIS);
        }
    }

    // ---- repair

    /** Like a supervisor, starts a process, and restarts it when it does not stay up. */
    private synchronized void start(String member) {
        CompletableFuture<?> under = starting.get(member);
        if (under == null || under.isDone()) {
            starting.put(member, CompletableFuture.runAsync(() -> startOnce(member), repairs));
        }
    }

    private void startOnce(String member) {
        try {
            cluster.start(member);
        } catch (IOException failed) {
            String why = String.valueOf(failed.getMessage());
            mark("a start of " + member + " failed: "
                    + why.substring(0, Math.min(why.length(), REASON_CHARACTERS_MAX)));
        }
    }

    private void awaitWhole(String what) throws IOException {
        Instant latest = Instant.now().plus(REPAIR_MAX);
        List<String> missing = missing();
        while (!missing.isEmpty() && Instant.now().isBefore(latest)) {
            for (String member : missing) {
                if (!cluster.isAlive(member)) {
                    start(member);
                }
            }
            Pauses.millis(AGAIN_MILLIS);
            missing = missing();
        }
        if (!missing.isEmpty()) {
            stuck(missing + " not ready " + REPAIR_MAX.toSeconds() + " s after " + what + ".");
        }
        mark(missing.isEmpty() ? "all nodes are ready" : "not ready: " + missing);
    }

    private List<String> missing() throws IOException {
        List<String> missing = new ArrayList<>();
        if (!cluster.isAlive(Cluster.STORE)) {
            missing.add(Cluster.STORE);
        }
        for (int node = 1; node <= cluster.nodes(); node++) {
            String name = Cluster.name(node);
            if (!cluster.isAlive(name) || !cluster.clients().get(node - 1).isReady()) {
                missing.add(name);
            }
        }
        return missing;
    }

    private synchronized void stuck(String what) {
        stuck.add(what);
    }

    // ---- what was done

    synchronized List<Trial.Mark> marks() {
        return List.copyOf(marks);
    }

    synchronized List<NodeLoss> losses() {
        List<NodeLoss> all = new ArrayList<>(losses);
        gone.forEach((node, since) -> all.add(new NodeLoss(node, NodeLoss.Cause.GONE, since, Optional.empty())));
        return all;
    }

    synchronized List<Trial.Outage> outages() {
        return List.copyOf(outages);
    }

    synchronized List<String> stuck() {
        return List.copyOf(stuck);
    }

    @Override
    public void close() {
        watch.interrupt();
        repairs.shutdownNow();
    }
}
