package dev.vivarium.persistence.contract;

import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
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
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.SandboxStart;
import dev.vivarium.protocol.run.SandboxStart.Birth;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.SecretVersion;
import dev.vivarium.protocol.run.StartFailure;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import dev.vivarium.protocol.run.Webhook;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Histories of runs that together have every event of the current version in every variant, and {@link #main}, which records
 * them as the corpus of this version. A recorded corpus is never changed: a later version gets one of its own.
 */
public final class TodaysRuns {
    private static final Instant START = Instant.parse("2026-12-01T04:00:00.123Z");
    private static final String NODE = "node-1";
    /** Of this version alone, since stores hold the runs of all. */
    private static final String RUNS = "01n12ffa380000000000000";

    private static final Optional<Origin> ORIGIN = Optional.of(
            new Origin(new Tenant("blue"), Optional.of(new TokenId("0123456789abcdef")), Optional.of("2001:db8::7")));

    private static final Usage USAGE = usage();

    private final List<List<RunEvent>> histories = new ArrayList<>();

    private TodaysRuns() {}

    /**
     * Writes the corpus of this version.
     *
     * @param args the file to write, which must not exist, and the version, such as its commit
     */
    public static void main(String[] args) throws IOException {
        StringBuilder text = new StringBuilder("# The journal of a few runs as commit " + args[1]
                + " wrote it: for each run its last state, its entries byte by byte in\n"
                + "# base64, the hash of the last one, and path, mode, size and SHA-256 of its files. Never to"
                + " be changed.\n");
        all().forEach(history -> text.append(recorded(history)));
        Path file = Path.of(args[0]);
        Files.createFile(file);
        Files.writeString(file, text);
    }

    private static String recorded(List<RunEvent> history) {
        RunEvent.RunSubmitted submitted = (RunEvent.RunSubmitted) history.get(0);
        RunState state = RunState.initial();
        Blob head = EventCodec.genesis(submitted.runId());
        StringBuilder lines = new StringBuilder();
        for (RunEvent event : history) {
            JournalEntry entry = EventCodec.standard().encode(event, head);
            byte[] bytes = JournalEntryFormat.write(entry);
            lines.append("entry ")
                    .append(Base64.getEncoder().encodeToString(bytes))
                    .append('\n');
            state = state.after(event);
            head = entry.hash();
        }
        lines.append("head ").append(head.toHex()).append('\n');
        new TreeMap<>(submitted.spec().files()).forEach((path, file) -> lines.append(file(path, file)));
        return "run " + submitted.runId() + " " + ((RunState.Existing) state).status() + "\n" + lines;
    }

    private static String file(String path, FileRef file) {
        String form = file.form() == FileForm.FILE ? "file" : "archive";
        return form + " " + file.mode() + " " + file.size() + " " + file.digest() + " " + path + "\n";
    }

    /** All histories, each legal. */
    static List<List<RunEvent>> all() {
        TodaysRuns runs = new TodaysRuns();
        runs.everythingOnTheWay();
        runs.ends();
        runs.interruptions();
        runs.waiting();
        runs.warnings();
        runs.webhooks();
        return runs.histories;
    }

    /** A run with all that can be reported of a running agent. */
    private void everythingOnTheWay() {
        List<RunEvent> history = begin(spec(allowlist(), Isolation.GVISOR, NodeLossPolicy.FAIL));
        history.add(new RunEvent.RunQueued(at(history), NODE));
        history.add(new RunEvent.AttemptStarting(at(history), NODE, 1));
        history.add(new RunEvent.SecretsUsed(
                at(history), NODE, 1, List.of(new SecretVersion(new SecretName("git-token"), 7))));
        history.add(new RunEvent.AttemptStarted(
                at(history), NODE, 1, "vivarium-01kbc3", Optional.of(new SandboxStart(Birth.WARM, 900, 300, 2_000))));
        for (KillReason reason : KillReason.values()) {
            for (RunEvent.Consequence consequence : RunEvent.Consequence.values()) {
                history.add(new RunEvent.AlarmRaised(
                        at(history), NODE, 1, reason, measurement(history.size()), consequence));
            }
        }
        history.add(new RunEvent.EgressDenied(
                at(history), NODE, 1, 7, 2, List.of(new EgressDenial("dns", "internal.example.com", 53, 4))));
        history.add(new RunEvent.EgressUsed(
                at(history), NODE, 1, 3, 1, 100, 200, List.of(new EgressReach("tcp", "45.77.77.10", 443, 3, 90, 180))));
        history.add(new RunEvent.ArtifactsKept(
                at(history),
                NODE,
                1,
                List.of(new Artifact("out/\u00fc b.csv", new FileMode(0640), 3, Digest.of(Blob.ofUtf8("kept")))),
                LeftOut.Cause.values().length,
                Arrays.stream(LeftOut.Cause.values())
                        .map(cause -> new LeftOut("out/" + cause, cause))
                        .toList()));
        for (WarningSignal signal : WarningSignal.values()) {
            history.add(new RunEvent.WarningSent(at(history), NODE, 1, signal, TimeSpan.ofSeconds(300)));
        }
        for (Optional<Origin> origin : List.of(Optional.<Origin>empty(), ORIGIN)) {
            history.add(new RunEvent.DeadlineMoved(
                    at(history),
                    NODE,
                    Principal.LOCAL_OPERATOR,
                    TimeSpan.ofSeconds(300),
                    TimeSpan.ofSeconds(600),
                    TimeSpan.ofSeconds(700),
                    origin));
        }
        history.add(new RunEvent.RunSucceeded(at(history), NODE, 1, USAGE));
    }

    private void ends() {
        ended(at -> new RunEvent.RunFailed(at, NODE, 1, 139, Optional.of(11), USAGE));
        ended(at -> new RunEvent.RunFailed(at, NODE, 1, 3, Optional.empty(), USAGE));
        ended(at -> new RunEvent.RunKilled(at, NODE, 1, KillReason.OPERATOR, Optional.empty(), USAGE));
        for (KillReason reason : KillReason.values()) {
            ended(at -> new RunEvent.RunKilled(at, NODE, 1, reason, Optional.of(measurement(histories.size())), USAGE));
        }
        for (Principal by : List.of(
                Principal.LOCAL_OPERATOR,
                new Principal(Principal.Kind.TOKEN, "ci"),
                new Principal(Principal.Kind.OIDC, "idp/ci"),
                new Principal(Principal.Kind.CERTIFICATE, "ci.example.com"))) {
            List<RunEvent> cancelled =
                    started(spec(EgressPolicy.publicInternet(), Isolation.MICROVM, NodeLossPolicy.FAIL));
            Optional<Origin> origin = by.kind() == Principal.Kind.TOKEN ? ORIGIN : Optional.empty();
            cancelled.add(new RunEvent.CancelRequested(at(cancelled), NODE, by, origin));
            cancelled.add(new RunEvent.RunCancelled(at(cancelled), NODE, 1, USAGE));
        }
        for (StartFailure.Kind kind : StartFailure.Kind.values()) {
            List<RunEvent> failed = begin(plain());
            failed.add(new RunEvent.AttemptStarting(at(failed), NODE, 1));
            failed.add(new RunEvent.RunNotStarted(
                    at(failed), NODE, 1, new StartFailure(kind, "The cause is " + kind + ".")));
        }
    }

    private void interruptions() {
        for (Interruption cause : Interruption.values()) {
            List<RunEvent> lost = started(plain());
            Optional<Principal> by =
                    cause == Interruption.DRAINED ? Optional.of(Principal.LOCAL_OPERATOR) : Optional.empty();
            lost.add(new RunEvent.AttemptInterrupted(at(lost), NODE, 1, cause, "gone", by));
            lost.add(new RunEvent.RunLost(at(lost), NODE, 1, cause, "gone"));
        }
    }

    private void waiting() {
        List<RunEvent> queued = begin(plain());
        queued.add(new RunEvent.RunQueued(at(queued), NODE));
    }

    private void warnings() {
        for (WarningSignal signal : WarningSignal.values()) {
            begin(spec(
                    EgressPolicy.none(),
                    Isolation.CONTAINER,
                    NodeLossPolicy.RESTART,
                    Optional.of(new Warning(TimeSpan.ofSeconds(30), signal)),
                    Optional.empty()));
        }
    }

    private void webhooks() {
        begin(spec(
                EgressPolicy.none(),
                Isolation.CONTAINER,
                NodeLossPolicy.RESTART,
                Optional.empty(),
                Optional.of(new Webhook("https://hooks.example.com/runs?team=blue", Webhook.ALL_EVENTS))));
    }

    private void ended(Function<Instant, RunEvent> end) {
        List<RunEvent> history = started(plain());
        history.add(end.apply(at(history)));
    }

    private List<RunEvent> started(RunSpec spec) {
        List<RunEvent> history = begin(spec);
        history.add(new RunEvent.AttemptStarting(at(history), NODE, 1));
        Optional<SandboxStart> start = histories.size() % 2 == 0
                ? Optional.empty()
                : Optional.of(new SandboxStart(Birth.COLD, 40_000, 400, 3_000));
        history.add(new RunEvent.AttemptStarted(at(history), NODE, 1, "vivarium-01kbc3", start));
        return history;
    }

    private List<RunEvent> begin(RunSpec spec) {
        List<RunEvent> history = new ArrayList<>();
        RunId run = new RunId(RUNS + (100 + histories.size()));
        Digest request = Digest.of(Blob.ofUtf8("request " + run));
        histories.add(history);
        Optional<Origin> origin =
                switch (histories.size() % 3) {
                    case 0 -> Optional.empty();
                    case 1 -> ORIGIN;
                    default -> Optional.of(new Origin(Tenant.DEFAULT, Optional.empty(), Optional.empty()));
                };
        history.add(new RunEvent.RunSubmitted(at(history), NODE, Principal.LOCAL_OPERATOR, run, spec, request, origin));
        return history;
    }

    private Instant at(List<RunEvent> history) {
        return START.plusSeconds(histories.size()).plusMillis(history.size());
    }

    private static Measurement measurement(int number) {
        Measurement.Unit[] units = Measurement.Unit.values();
        return new Measurement(1_000 + number, 1_000, units[number % units.length]);
    }

    private static Usage usage() {
        Usage usage = Usage.NONE;
        for (Limit<?> limit : Limit.ALL) {
            usage = limit.usage().isEmpty() ? usage : usage.with(limit, 1_000 + Limit.ALL.indexOf(limit));
        }
        return usage;
    }

    private static EgressPolicy allowlist() {
        return new EgressPolicy(
                EgressPolicy.Mode.ALLOWLIST,
                List.of(
                        EgressDestination.parse("api.example.com"),
                        EgressDestination.parse("*.example.org:443,8000-8100"),
                        EgressDestination.parse("203.0.113.0/24:5432")),
                List.of(new InjectedHeader(HostName.parse("api.example.com"), "authorization", "API_KEY", "Bearer ")));
    }

    private static RunSpec plain() {
        return spec(EgressPolicy.none(), Isolation.CONTAINER, NodeLossPolicy.RESTART);
    }

    private static RunSpec spec(EgressPolicy egress, Isolation isolation, NodeLossPolicy onNodeLoss) {
        return spec(egress, isolation, onNodeLoss, Optional.empty(), Optional.empty());
    }

    private static RunSpec spec(
            EgressPolicy egress,
            Isolation isolation,
            NodeLossPolicy onNodeLoss,
            Optional<Warning> warning,
            Optional<Webhook> webhook) {
        return new RunSpec(
                "vivarium/python",
                List.of("python3", "-c", "print('h\u00e9llo \ud83d\ude00')"),
                Map.of("A", "1", "B", "nul \u0000 and lone \ud800 surrogate"),
                new SealedSecrets(List.of("API_KEY"), Blob.of("sealed".getBytes(StandardCharsets.UTF_8))),
                Map.of("GIT_TOKEN", new SecretName("git-token")),
                "/workspace",
                Map.of(
                        "agent.py",
                        FileRef.of(Blob.ofUtf8("print(1)\n")),
                        "project",
                        new FileRef(new FileMode(0750), 10_240, digest("tar"), FileForm.ARCHIVE)),
                List.of("out/**", "result.json"),
                Limits.SMALLEST
                        .with(Limit.WALL_CLOCK, "5m")
                        .with(Limit.GRACE, "2s")
                        .with(Limit.MEMORY, "256Mi")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.ARTIFACTS, "64Mi"),
                warning,
                egress,
                isolation,
                onNodeLoss,
                3,
                Map.of("team", "research"),
                new Tenant("blue"),
                webhook);
    }

    private static Digest digest(String content) {
        return Digest.of(Blob.ofUtf8(content));
    }
}
