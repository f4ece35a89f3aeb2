package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.Webhook;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Specs of runs for tests. */
public final class Specs {
    /** Content of the file of {@link #withFile}; a {@link MemoryStore} has it. */
    static final Blob AGENT = Blob.ofUtf8("print('hello')");

    private Specs() {}

    public static RunSpec hello() {
        return spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 3);
    }

    /** {@link #hello} with a file. */
    static RunSpec withFile() {
        RunSpec spec = hello();
        return new RunSpec(
                spec.image(),
                spec.command(),
                spec.env(),
                spec.secrets(),
                spec.namedSecrets(),
                spec.workdir(),
                Map.of("agent.py", FileRef.of(AGENT)),
                spec.artifacts(),
                spec.limits(),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                spec.tenant(),
                spec.webhook());
    }

    /** With a wall clock, and a warning before its end. */
    public static RunSpec warned(TimeSpan wallClock, Warning warning) {
        RunSpec spec = spec(wallClock, NodeLossPolicy.FAIL, 1);
        return new RunSpec(
                spec.image(),
                spec.command(),
                spec.env(),
                spec.secrets(),
                spec.namedSecrets(),
                spec.workdir(),
                spec.files(),
                spec.artifacts(),
                spec.limits(),
                Optional.of(warning),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                spec.tenant(),
                spec.webhook());
    }

    /** {@link #hello} with a webhook. */
    public static RunSpec calling(Webhook webhook) {
        RunSpec spec = hello();
        return new RunSpec(
                spec.image(),
                spec.command(),
                spec.env(),
                spec.secrets(),
                spec.namedSecrets(),
                spec.workdir(),
                spec.files(),
                spec.artifacts(),
                spec.limits(),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                spec.tenant(),
                Optional.of(webhook));
    }

    /** {@link #hello} with artifacts. */
    public static RunSpec keeping(ByteSize limit, String... artifacts) {
        RunSpec spec = hello();
        return new RunSpec(
                spec.image(),
                spec.command(),
                spec.env(),
                spec.secrets(),
                spec.namedSecrets(),
                spec.workdir(),
                spec.files(),
                List.of(artifacts),
                spec.limits().with(Limit.ARTIFACTS, limit),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                spec.tenant(),
                spec.webhook());
    }

    public static RunSpec isolatedBy(Isolation isolation) {
        return spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 3, isolation, SealedSecrets.NONE);
    }

    public static RunSpec spec(TimeSpan wallClock, NodeLossPolicy onNodeLoss, int maxAttempts) {
        return spec(wallClock, onNodeLoss, maxAttempts, Isolation.CONTAINER, SealedSecrets.NONE);
    }

    public static RunSpec withSecrets(String... names) {
        return spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 3, Isolation.CONTAINER, sealed(names));
    }

    /** With secrets, the first of which is put into requests to a host. */
    public static RunSpec injecting(String host, String... names) {
        EgressPolicy egress = new EgressPolicy(
                EgressPolicy.Mode.ALLOWLIST,
                List.of(EgressDestination.parse(host + ":" + InjectedHeader.PORT)),
                List.of(new InjectedHeader(HostName.parse(host), "authorization", names[0], "Bearer ")));
        return spec(TimeSpan.ofSeconds(60), NodeLossPolicy.RESTART, 3, Isolation.CONTAINER, sealed(names), egress);
    }

    /** With secrets that the tenant keeps, by variable; the one for API_KEY is put into requests to a host. */
    public static RunSpec naming(Map<String, String> secrets) {
        RunSpec spec = injecting("api.example.com", "API_KEY");
        Map<String, SecretName> named = new TreeMap<>();
        secrets.forEach((variable, name) -> named.put(variable, new SecretName(name)));
        return new RunSpec(
                spec.image(),
                spec.command(),
                spec.env(),
                SealedSecrets.NONE,
                named,
                spec.workdir(),
                spec.files(),
                spec.artifacts(),
                spec.limits(),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                spec.labels(),
                spec.tenant(),
                spec.webhook());
    }

    private static SealedSecrets sealed(String... names) {
        return new SealedSecrets(List.of(names), Blob.ofUtf8("sealed"));
    }

    private static RunSpec spec(
            TimeSpan wallClock,
            NodeLossPolicy onNodeLoss,
            int maxAttempts,
            Isolation isolation,
            SealedSecrets secrets) {
        EgressPolicy none = new EgressPolicy(EgressPolicy.Mode.NONE);
        return spec(wallClock, onNodeLoss, maxAttempts, isolation, secrets, none);
    }

    private static RunSpec spec(
            TimeSpan wallClock,
            NodeLossPolicy onNodeLoss,
            int maxAttempts,
            Isolation isolation,
            SealedSecrets secrets,
            EgressPolicy egress) {
        return new RunSpec(
                "vivarium/python",
                List.of("python3", "agent.py"),
                Map.of("A", "1"),
                secrets,
                Map.of(),
                "/workspace",
                Map.of(),
                List.of(),
                Limits.SMALLEST
                        .with(Limit.WALL_CLOCK, wallClock)
                        .with(Limit.IDLE, "60s")
                        .with(Limit.CPU, "1")
                        .with(Limit.CPU_TIME, "60s")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.PIDS, 32L)
                        .with(Limit.DISK, "32Mi")
                        .with(Limit.FILES, 1_000L)
                        .with(Limit.OUTPUT, new ByteSize(100))
                        .with(Limit.ARTIFACTS, "1Mi")
                        .with(Limit.OPEN_FILES, 1024L)
                        .with(Limit.GRACE, "25ms")
                        .with(Limit.SHARED_MEMORY, "8Mi")
                        .with(Limit.EGRESS_REQUESTS, 100L)
                        .with(Limit.EGRESS_BYTES, "10Mi"),
                Optional.empty(),
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                Map.of("team", "research"),
                Tenant.DEFAULT,
                Optional.empty());
    }
}
