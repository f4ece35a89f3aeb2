package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A trial made by hand, for tests to corrupt by one change: a run is submitted at second 0 and runs on node 1 from second 1
 * on, node 1 is killed at second 5, the run restarts on node 2 at second 10 and ends at second 13.
 */
final class Scene {
    static final String RUN = "01jdvwxyz0123456789abcdefg";
    static final String OTHER_RUN = "01jdvwxyz0123456789abcdefh";
    static final String KEY = "s1-c1-1";
    static final Instant START = Instant.parse("2026-11-25T12:00:00Z");

    final Map<String, Task> tasks = new LinkedHashMap<>();
    final List<Exchange> exchanges = new ArrayList<>();
    final List<SandboxLife> sandboxes = new ArrayList<>();
    final List<NodeLoss> losses = new ArrayList<>();
    final List<Trial.Outage> outages = new ArrayList<>();
    final List<String> left = new ArrayList<>();
    final List<String> stuck = new ArrayList<>();
    Driver driver = Driver.DOCKER;
    List<RunEvent> events = new ArrayList<>();
    List<Journal> furtherJournals = new ArrayList<>();
    RunStatus shown = RunStatus.SUCCEEDED;
    Optional<RunStatus> listed = Optional.of(RunStatus.SUCCEEDED);
    String output;

    private Scene(Task.Kind kind, Task.Policy policy) {
        tasks.put(KEY, task(KEY, kind, policy));
        exchanges.add(submit(KEY, 1, 0.1, new Exchange.NoAnswer("timed out")));
        exchanges.add(submit(KEY, 2, 0.2, new Exchange.Accepted(RUN)));
    }

    static Scene failover() {
        Scene scene = new Scene(Task.Kind.QUICK, Task.Policy.RESTART);
        scene.exchanges.add(read(2, 3, new Exchange.CurrentStatus(RUN, RunStatus.RUNNING, 1)));
        scene.exchanges.add(read(3, 14, new Exchange.CurrentStatus(RUN, RunStatus.SUCCEEDED, 2)));
        scene.events.addAll(List.of(
                submitted(NodeLossPolicy.RESTART, 3),
                new RunEvent.AttemptStarting(at(0.5), node(1), 1),
                new RunEvent.AttemptStarted(at(1.2), node(1), 1, "c1", Optional.empty()),
                new RunEvent.AttemptInterrupted(at(9), node(2), 1, Interruption.NODE_LOST, "gone", Optional.empty()),
                new RunEvent.AttemptStarting(at(9.5), node(2), 2),
                new RunEvent.AttemptStarted(at(10.2), node(2), 2, "c2", Optional.empty()),
                new RunEvent.RunSucceeded(at(13), node(2), 2, Usage.NONE)));
        scene.sandboxes.add(new SandboxLife(Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(5.2))));
        scene.sandboxes.add(new SandboxLife(Driver.DOCKER, "c2", RUN, 2, node(2), at(10), Optional.of(at(12.9))));
        scene.losses.add(new NodeLoss(node(1), NodeLoss.Cause.GONE, at(5), Optional.of(at(20))));
        scene.output = ticks(1, 1.5, 2) + "\n<1:" + ticks(2, 10.5, 4);
        scene.exchanges.add(read(3, 14, new Exchange.LatestEvent(RUN, 4, scene.hash(4))));
        return scene;
    }

    /** A run that is cancelled at second 4. */
    static Scene cancellation() {
        Scene scene = new Scene(Task.Kind.CANCELLED, Task.Policy.RESTART);
        scene.exchanges.add(new Exchange(KEY, Exchange.Ask.CANCEL, 3, at(4), at(4.1), new Exchange.Accepted(RUN)));
        scene.events.addAll(List.of(
                submitted(NodeLossPolicy.RESTART, 3),
                new RunEvent.AttemptStarting(at(0.5), node(1), 1),
                new RunEvent.AttemptStarted(at(1.2), node(1), 1, "c1", Optional.empty()),
                new RunEvent.CancelRequested(at(4), node(1), Principal.LOCAL_OPERATOR, Optional.empty()),
                new RunEvent.RunCancelled(at(5), node(1), 1, Usage.NONE)));
        scene.sandboxes.add(new SandboxLife(Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(4.9))));
        scene.output = ticks(1, 1.5, 3);
        scene.shown = RunStatus.CANCELLED;
        scene.listed = Optional.of(RunStatus.CANCELLED);
        return scene;
    }

    /** A run that is renewed from one to two minutes, and killed then. */
    static Scene renewal() {
        Scene scene = new Scene(Task.Kind.TIMED, Task.Policy.RESTART);
        scene.exchanges.add(new Exchange(
                KEY, Exchange.Ask.RENEW, 3, at(4), at(4.1), new Exchange.Renewed(RUN, Duration.ofMinutes(2))));
        scene.events.addAll(List.of(
                submitted(NodeLossPolicy.RESTART, 3),
                new RunEvent.AttemptStarting(at(0.5), node(1), 1),
                new RunEvent.AttemptStarted(at(1.2), node(1), 1, "c1", Optional.empty()),
                new RunEvent.DeadlineMoved(
                        at(4),
                        node(1),
                        Principal.LOCAL_OPERATOR,
                        TimeSpan.parse("1m"),
                        TimeSpan.parse("2m"),
                        TimeSpan.parse("1m"),
                        Optional.empty()),
                killedAt(120_003, 120_000)));
        scene.sandboxes.add(new SandboxLife(Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(121.2))));
        scene.output = ticks(1, 1.5, 3);
        scene.shown = RunStatus.KILLED;
        scene.listed = Optional.of(RunStatus.KILLED);
        return scene;
    }

    static RunEvent killedAt(long millis, long limitMillis) {
        return new RunEvent.RunKilled(
                at(121.3),
                node(1),
                1,
                KillReason.WALL_CLOCK,
                Optional.of(Measurement.millis(millis, limitMillis)),
                Usage.NONE);
    }

    Trial trial() {
        Map<String, Journal> journals = new LinkedHashMap<>();
        journals.put(RUN, journal(RUN, events, shown, listed, output));
        furtherJournals.forEach(journal -> journals.put(journal.run(), journal));
        return new Trial(
                tasks,
                exchanges,
                journals,
                driver,
                sandboxes,
                losses,
                outages,
                List.of(new Trial.Mark(at(5), "kill node 1")),
                left,
                stuck,
                new Trial.Bounds(Duration.ofSeconds(5), Duration.ofSeconds(10)));
    }

    static Journal journal(
            String run, List<RunEvent> events, RunStatus shown, Optional<RunStatus> listed, String output) {
        List<Journal.Entry> entries = new ArrayList<>();
        String previous = JournalChecks.genesis(run);
        for (RunEvent event : events) {
            String hash = "after " + entries.size() + " " + event.getClass().getSimpleName() + event.at();
            entries.add(new Journal.Entry(entries.size() + 1L, event, previous, hash));
            previous = hash;
        }
        return new Journal(run, entries, shown, listed, output);
    }

    String hash(int seq) {
        return journal(RUN, events, shown, listed, "").entries().get(seq - 1).hash();
    }

    static Instant at(double second) {
        return START.plusMillis(Math.round(second * 1000));
    }

    static String node(int number) {
        return "node-" + number;
    }

    static Exchange submit(String key, int node, double second, Exchange.Answer answer) {
        return new Exchange(key, Exchange.Ask.SUBMIT, node, at(second - 0.1), at(second), answer);
    }

    static Exchange read(int node, double second, Exchange.Answer answer) {
        return new Exchange(KEY, Exchange.Ask.READ, node, at(second - 0.1), at(second), answer);
    }

    static Task task(String key, Task.Kind kind, Task.Policy policy) {
        return new Task(key, kind, 4, 200, policy, 3, Task.Manner.PLAIN, Duration.ZERO, Duration.ZERO, Duration.ZERO);
    }

    static String ticks(int attempt, double from, int count) {
        StringBuilder text = new StringBuilder();
        for (int number = 1; number <= count; number++) {
            text.append(new Tick(attempt, number, at(from + number * 0.2)).printed());
        }
        return text.toString();
    }

    static RunEvent submitted(NodeLossPolicy policy, int maxAttempts) {
        return submitted(RUN, KEY, policy, maxAttempts);
    }

    static RunEvent submitted(String run, String key, NodeLossPolicy policy, int maxAttempts) {
        TimeSpan minute = new TimeSpan(Duration.ofMinutes(1));
        ByteSize mebibyte = new ByteSize(1 << 20);
        RunSpec spec = new RunSpec(
                "image",
                List.of("agent"),
                Map.of(),
                SealedSecrets.NONE,
                Map.of(),
                "/workspace",
                Map.of(),
                List.of(),
                Limits.SMALLEST
                        .with(Limit.WALL_CLOCK, minute)
                        .with(Limit.IDLE, minute)
                        .with(Limit.CPU, new CpuQuota(1000))
                        .with(Limit.CPU_TIME, minute)
                        .with(Limit.MEMORY, mebibyte)
                        .with(Limit.PIDS, 10L)
                        .with(Limit.DISK, mebibyte)
                        .with(Limit.OUTPUT, mebibyte)
                        .with(Limit.OPEN_FILES, 1024L)
                        .with(Limit.GRACE, "25ms")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.EGRESS_REQUESTS, 10L)
                        .with(Limit.EGRESS_BYTES, mebibyte),
                Optional.empty(),
                EgressPolicy.none(),
                Isolation.CONTAINER,
                policy,
                maxAttempts,
                Map.of(Journal.KEY_LABEL, key),
                Tenant.DEFAULT,
                Optional.empty());
        return new RunEvent.RunSubmitted(
                at(0.1),
                node(2),
                Principal.LOCAL_OPERATOR,
                new RunId(run),
                spec,
                Digest.of(Blob.EMPTY),
                Optional.empty());
    }
}
