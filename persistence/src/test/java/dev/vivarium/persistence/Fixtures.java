package dev.vivarium.persistence;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.WarningSignal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs and events for tests. */
public final class Fixtures {
    public static final Instant NOON = Instant.parse("2026-01-01T12:00:00.123456789Z");
    public static final Usage USAGE = Usage.NONE
            .with(Limit.WALL_CLOCK, 5003)
            .with(Limit.CPU_TIME, 4990)
            .with(Limit.MEMORY, 12345678)
            .with(Limit.DISK, 4096)
            .with(Limit.FILES, 12)
            .with(Limit.OUTPUT, 42)
            .with(Limit.PIDS, 7);

    /** The content of the only file of every run. */
    public static final Blob CONTENT = Blob.of(new byte[] {0, -1, 127});

    /** The digest of every submission. */
    private static final Digest SENT = Digest.of(Blob.ofUtf8("digest"));

    private Fixtures() {}

    /** The n-th run. */
    public static RunId run(int n) {
        String digits = Integer.toString(n, 10);
        return new RunId("01hzzzzzzzzzzzzzzzzzzzzzzz".substring(0, 26 - digits.length()) + digits);
    }

    public static RunSpec spec(Map<String, String> labels) {
        return spec(labels, EgressPolicy.none());
    }

    private static RunSpec spec(Map<String, String> labels, EgressPolicy egress) {
        return new RunSpec(
                "vivarium/python",
                List.of("python3", "-c", "print('h\u00e9llo \ud83d\ude00')"),
                Map.of("A", "1", "B", "nul \u0000 and lone \ud800 surrogate", "C", "3"),
                new SealedSecrets(List.of("KEY"), Blob.ofUtf8("sealed")),
                Map.of(),
                "/workspace",
                Map.of("agent.py", FileRef.of(CONTENT)),
                List.of(),
                Limits.SMALLEST
                        .with(Limit.WALL_CLOCK, "5m")
                        .with(Limit.IDLE, "60s")
                        .with(Limit.CPU, "500m")
                        .with(Limit.CPU_TIME, "2m")
                        .with(Limit.MEMORY, "256Mi")
                        .with(Limit.PIDS, 128L)
                        .with(Limit.DISK, "512Mi")
                        .with(Limit.FILES, 65536L)
                        .with(Limit.OUTPUT, "10Mi")
                        .with(Limit.ARTIFACTS, "64Mi")
                        .with(Limit.OPEN_FILES, 4096L)
                        .with(Limit.GRACE, "25ms")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.EGRESS_REQUESTS, 1000L)
                        .with(Limit.EGRESS_BYTES, "1024Ti"),
                Optional.empty(),
                egress,
                Isolation.CONTAINER,
                NodeLossPolicy.RESTART,
                3,
                labels,
                new Tenant(labels.getOrDefault(RunSpec.TENANT_LABEL, Tenant.DEFAULT.name())),
                Optional.empty());
    }

    public static RunEvent.RunSubmitted submitted(RunId run, Instant at, Map<String, String> labels) {
        return new RunEvent.RunSubmitted(
                at, "node-1", Principal.LOCAL_OPERATOR, run, spec(labels), SENT, Optional.empty());
    }

    public static RunEvent.RunSubmitted submitted(RunId run, EgressPolicy egress) {
        return new RunEvent.RunSubmitted(
                NOON, "node-1", Principal.LOCAL_OPERATOR, run, spec(Map.of(), egress), SENT, Optional.empty());
    }

    public static RunEvent.RunSubmitted submitted(RunId run) {
        return submitted(run, NOON, Map.of("team", "research"));
    }

    /** One event of every type; together they are no legal history of a run. */
    public static List<RunEvent> oneOfEachType(RunId run) {
        return List.of(
                submitted(run),
                new RunEvent.RunQueued(NOON, "node-1"),
                new RunEvent.AttemptStarting(NOON, "node-1", 1),
                new RunEvent.SecretsUsed(NOON, "node-1", 1, List.of(new SecretVersion(new SecretName("git-token"), 7))),
                new RunEvent.AttemptStarted(NOON, "node-1", 1, "sandbox", Optional.empty()),
                new RunEvent.AlarmRaised(
                        NOON, "node-1", 1, KillReason.MEMORY, Measurement.bytes(2, 1), RunEvent.Consequence.NOTED),
                new RunEvent.EgressDenied(
                        NOON, "node-1", 1, 7, 2, List.of(new EgressDenial("tcp", "192.168.77.10", 80, 4))),
                new RunEvent.ArtifactsKept(
                        NOON,
                        "node-1",
                        1,
                        List.of(new Artifact("out/a", FileMode.PLAIN, 3, Digest.of(CONTENT))),
                        1,
                        List.of(new LeftOut("out/l", LeftOut.Cause.LINK))),
                new RunEvent.EgressUsed(
                        NOON,
                        "node-1",
                        1,
                        3,
                        1,
                        100,
                        200,
                        List.of(new EgressReach("tcp", "45.77.77.10", 443, 3, 90, 180))),
                new RunEvent.WarningSent(NOON, "node-1", 1, WarningSignal.SIGUSR1, TimeSpan.ofSeconds(60)),
                new RunEvent.DeadlineMoved(
                        NOON,
                        "node-1",
                        Principal.LOCAL_OPERATOR,
                        TimeSpan.ofSeconds(60),
                        TimeSpan.ofSeconds(600),
                        TimeSpan.ofSeconds(700),
                        Optional.empty()),
                new RunEvent.CancelRequested(NOON, "node-1", Principal.LOCAL_OPERATOR, Optional.empty()),
                new RunEvent.AttemptInterrupted(NOON, "node-1", 1, Interruption.ENGINE_LOST, "gone", Optional.empty()),
                new RunEvent.RunSucceeded(NOON, "node-1", 1, USAGE),
                new RunEvent.RunFailed(NOON, "node-1", 1, 139, Optional.of(11), USAGE),
                new RunEvent.RunFailed(NOON, "node-1", 1, 3, Optional.empty(), USAGE),
                new RunEvent.RunNotStarted(
                        NOON, "node-1", 1, new StartFailure(StartFailure.Kind.COMMAND_NOT_FOUND, "no such file")),
                new RunEvent.RunKilled(
                        NOON, "node-1", 1, KillReason.WALL_CLOCK, Optional.of(Measurement.millis(5003, 5000)), USAGE),
                new RunEvent.RunKilled(NOON, "node-1", 1, KillReason.OPERATOR, Optional.empty(), USAGE),
                new RunEvent.RunCancelled(NOON, "node-1", 1, USAGE),
                new RunEvent.RunLost(NOON, "node-1", 1, Interruption.NODE_LOST, "the node is gone"));
    }

    /** The history of a run that succeeds. */
    public static List<RunEvent> success(RunId run, Instant at, Map<String, String> labels) {
        return List.of(
                submitted(run, at, labels),
                new RunEvent.AttemptStarting(at, "node-1", 1),
                new RunEvent.AttemptStarted(at, "node-1", 1, "sandbox", Optional.empty()),
                new RunEvent.RunSucceeded(at, "node-1", 1, USAGE));
    }
}
