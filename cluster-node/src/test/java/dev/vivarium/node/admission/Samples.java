package dev.vivarium.node.admission;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.network.gateway.ListedDestinations;
import dev.vivarium.node.webhook.WebhookGuard;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Sample bodies of clients, and a reader with the shipped configuration. */
public final class Samples {
    public static final Config SHIPPED =
            ConfigFactory.parseResources("reference.conf").getConfig("vivarium");

    /** The sample of the design's section 8. */
    public static final String FULL_BODY =
            """
            { "image": "vivarium/python", "command": ["python3", "-c", "print('hello')"],
              "env": {"A": "1"}, "secrets": {"OPENAI_API_KEY": "…"}, "namedSecrets": {}, "workdir": "/workspace", "files": {"agent.py": "…"},
              "artifacts": ["out/*.csv"], "warning": {"before": "30s", "signal": "SIGUSR1"},
              "limits": {"wallClock": "5m", "grace": "5s", "sharedMemory": "128Mi", "idle": "60s", "cpu": "500m", "cpuTime": "2m", "memory": "256Mi",
                         "pids": 128, "disk": "512Mi", "output": "10Mi", "egressRequests": 1000,
                         "egressBytes": "1Gi", "files": 20000, "openFiles": 1024,
                         "artifacts": "8Mi"},
              "egress": {"mode": "public"}, "isolation": "container",
              "onNodeLoss": "restart", "maxAttempts": 3, "labels": {"team": "research"},
              "webhook": {"url": "https://hooks.example.com/runs", "events": ["ended"]} }
            """;

    public static final String SMALL_BODY = "{\"image\": \"vivarium/python\", \"command\": [\"true\"]}";

    private static final ListedDestinations DESTINATIONS = ListedDestinations.of(
            ConfigFactory.parseString("internal-ranges = [\"5.6.0.0/16\"], internal-destinations = [\"10.1.2.0/24\"]")
                    .withFallback(SHIPPED.getConfig("egress")));

    public static final WebhookGuard WEBHOOK_GUARD =
            WebhookGuard.of(SHIPPED.getConfig("egress"), SHIPPED.getConfig("webhooks"));

    /** The tenant that has no key for webhooks; all others have one. */
    static final Tenant KEYLESS = new Tenant("keyless");

    /** The tenant with a webhook of its own. */
    static final Tenant CALLED = new Tenant("called");

    static final Webhook OF_TENANT = new Webhook("https://hooks.example.com/tenant", List.of(WebhookEvent.ENDED));

    private Samples() {}

    private static TenantWebhooks webhooks(Tenant tenant) {
        WebhookKey key = new WebhookKey("00", "11", Instant.EPOCH, Optional.empty());
        return new TenantWebhooks(
                tenant.equals(CALLED) || tenant.equals(KEYLESS) ? Optional.of(OF_TENANT) : Optional.empty(),
                tenant.equals(KEYLESS) ? List.of() : List.of(key));
    }

    public static SubmissionReader reader(Isolation... offered) {
        return new SubmissionReader(
                LimitPolicy.from(SHIPPED.getConfig("limits")),
                AdmissionSettings.from(SHIPPED.getConfig("admission"), 8 << 20),
                new SubmissionReader.Offers(
                        () -> Set.of(offered),
                        () -> Set.of(EgressPolicy.Mode.NONE, EgressPolicy.Mode.PUBLIC),
                        mode -> Optional.empty(),
                        DESTINATIONS,
                        WEBHOOK_GUARD,
                        Samples::webhooks));
    }

    public static RenewalReader renewals() {
        return new RenewalReader(
                LimitPolicy.from(SHIPPED.getConfig("limits")),
                AdmissionSettings.from(SHIPPED.getConfig("admission"), 8 << 20));
    }

    /** The reader of a node that cannot give sandboxes a network. */
    static SubmissionReader withoutNetwork() {
        return new SubmissionReader(
                LimitPolicy.from(SHIPPED.getConfig("limits")),
                AdmissionSettings.from(SHIPPED.getConfig("admission"), 8 << 20),
                new SubmissionReader.Offers(
                        () -> Set.of(Isolation.CONTAINER),
                        () -> Set.of(EgressPolicy.Mode.NONE),
                        mode -> Optional.of("The program nft is missing."),
                        DESTINATIONS,
                        WEBHOOK_GUARD,
                        Samples::webhooks));
    }

    /** The reader of a node that gives sandboxes any network up to a ceiling. */
    static SubmissionReader networked(EgressPolicy.Mode ceiling) {
        return new SubmissionReader(
                LimitPolicy.from(SHIPPED.getConfig("limits")),
                AdmissionSettings.from(
                        ConfigFactory.parseMap(
                                        Map.of("egress.ceiling", ceiling.name().toLowerCase(Locale.ROOT)))
                                .withFallback(SHIPPED.getConfig("admission")),
                        8 << 20),
                new SubmissionReader.Offers(
                        () -> Set.of(Isolation.CONTAINER),
                        () -> Set.of(EgressPolicy.Mode.values()),
                        mode -> Optional.empty(),
                        DESTINATIONS,
                        WEBHOOK_GUARD,
                        Samples::webhooks));
    }

    static SubmissionReader.Reading read(String body) {
        return reader(Isolation.CONTAINER).read(body.getBytes(StandardCharsets.UTF_8), Identity.LOCAL_OPERATOR);
    }

    static Submission valid(String body) {
        if (read(body) instanceof SubmissionReader.Reading.Valid valid) {
            return valid.submission();
        }
        throw new AssertionError(read(body));
    }
}
