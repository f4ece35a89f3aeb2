package dev.vivarium.node.http.v1;

import static dev.vivarium.node.http.server.Endpoint.immediate;
import static dev.vivarium.node.http.server.Endpoint.json;
import static dev.vivarium.node.http.server.Operation.needing;
import static dev.vivarium.protocol.access.Permission.AUDIT;
import static dev.vivarium.protocol.access.Permission.CANCEL;
import static dev.vivarium.protocol.access.Permission.CHECK;
import static dev.vivarium.protocol.access.Permission.HOLDS;
import static dev.vivarium.protocol.access.Permission.NODES;
import static dev.vivarium.protocol.access.Permission.READ;
import static dev.vivarium.protocol.access.Permission.SECRETS;
import static dev.vivarium.protocol.access.Permission.SUBMIT;
import static dev.vivarium.protocol.access.Permission.TENANTS;
import static dev.vivarium.protocol.access.Permission.TOKENS;
import static org.apache.pekko.http.javadsl.model.HttpMethods.DELETE;
import static org.apache.pekko.http.javadsl.model.HttpMethods.GET;
import static org.apache.pekko.http.javadsl.model.HttpMethods.HEAD;
import static org.apache.pekko.http.javadsl.model.HttpMethods.PATCH;
import static org.apache.pekko.http.javadsl.model.HttpMethods.POST;
import static org.apache.pekko.http.javadsl.model.HttpMethods.PUT;

import dev.vivarium.node.access.Tokens;
import dev.vivarium.node.acts.Acts;
import dev.vivarium.node.admission.Admission;
import dev.vivarium.node.admission.RenewalReader;
import dev.vivarium.node.admission.SubmissionReader;
import dev.vivarium.node.admission.WebhookReader;
import dev.vivarium.node.audit.LogChecks;
import dev.vivarium.node.http.server.HttpSettings;
import dev.vivarium.node.http.server.JsonBodies;
import dev.vivarium.node.http.server.Operation;
import dev.vivarium.node.http.server.Uploads;
import dev.vivarium.node.retention.Deletions;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.node.tenant.TenantQuotas;
import dev.vivarium.node.webhook.WebhookKeys;
import dev.vivarium.node.webhook.Webhooks;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.access.Permission;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;

/** The table of the API's operations; see their endpoints. */
public final class ApiV1 {
    private ApiV1() {}

    /**
     * What the API depends on.
     *
     * @param acts where administrative acts are recorded
     * @param secrets the secrets of tenants
     * @param holds legal holds of tenants
     * @param deletions deletes what is kept before its time is over
     * @param quotas the quotas of tenants
     * @param rates how fast tenants may read
     * @param webhooks messages to webhooks
     * @param metrics the registry for the number of followers
     * @param tenantMetrics the registry of what names tenants, which is not for everyone
     */
    public record Parts(
            SubmissionReader reader,
            RenewalReader renewals,
            Admission admission,
            Runs runs,
            RunJournal journal,
            OutputStore output,
            RunIndex index,
            BlobStore blobs,
            AuditQueries audit,
            LogChecks checks,
            Acts acts,
            Tokens tokens,
            NamedSecrets secrets,
            HoldStore holds,
            Deletions deletions,
            TenantQuotas quotas,
            Rates rates,
            Webhooks webhooks,
            WebhookReader webhookReader,
            WebhookKeys webhookKeys,
            MeterRegistry metrics,
            PrometheusMeterRegistry tenantMetrics) {}

    /** The operations; {@code openapi.yaml} describes all their answers. */
    public static List<Operation> operations(ActorSystem<?> system, HttpSettings settings, Parts parts) {
        Followers followers =
                new Followers(settings.maxFollowers(), settings.maxFollowersOfOne(), settings.retryAfter());
        Gauge.builder("vivarium.http.followers", followers, Followers::count)
                .description("Clients that follow the output or the events of a run")
                .register(parts.metrics());
        RunLookup lookup = new RunLookup(parts.journal());
        RunsEndpoint runs = new RunsEndpoint(lookup, parts.runs(), parts.index());
        OutputEndpoint output = new OutputEndpoint(lookup, parts.runs(), parts.output(), followers, settings);
        JsonBodies submissions = new JsonBodies(system, settings);
        Gauge.builder("vivarium.http.submissions", submissions, JsonBodies::underWay)
                .description("Submissions that are worked on")
                .register(parts.metrics());
        QuotaRefusals refusals = new QuotaRefusals(parts.tenantMetrics(), settings.retryAfter(), Clock.systemUTC());
        SubmitEndpoint submit = new SubmitEndpoint(
                submissions,
                settings,
                parts.reader(),
                parts.admission(),
                followers,
                output,
                new RunEndWait(system, parts.runs(), parts.journal()),
                refusals);
        DeadlineEndpoint deadline = new DeadlineEndpoint(lookup, submissions, parts.renewals(), parts.runs());
        EventsEndpoint events = new EventsEndpoint(lookup, parts.runs(), parts.journal(), followers, settings);
        ArtifactsEndpoint artifacts = new ArtifactsEndpoint(lookup, parts.journal(), parts.blobs());
        Uploads uploads = new Uploads(settings);
        Gauge.builder("vivarium.http.uploads", uploads, Uploads::open)
                .description("Contents of files that are being uploaded")
                .register(parts.metrics());
        BlobsEndpoint blobs = new BlobsEndpoint(system, uploads, parts.blobs(), parts.runs(), refusals);
        DeletionsEndpoint deletions = new DeletionsEndpoint(lookup, parts.blobs(), parts.deletions());
        TokensEndpoint tokens = new TokensEndpoint(submissions, parts.tokens());
        SecretsEndpoint secrets = new SecretsEndpoint(submissions, parts.secrets(), parts.acts());
        TenantsEndpoint tenants =
                new TenantsEndpoint(submissions, parts.quotas(), parts.runs(), parts.acts(), parts.tenantMetrics());
        WebhooksEndpoint webhooks = new WebhooksEndpoint(lookup, parts.webhooks(), settings.retryAfter());
        TenantWebhooksEndpoint tenantWebhooks = new TenantWebhooksEndpoint(
                submissions, parts.webhookReader(), parts.quotas(), parts.webhookKeys(), parts.acts());
        AuditWatches watches = new AuditWatches(parts.audit());
        AuditTail tail = new AuditTail(parts.audit(), watches, followers, settings);
        AuditEndpoint audit = new AuditEndpoint(parts.audit(), watches, tail, settings.retryAfter(), Clock.systemUTC());
        AuditLogEndpoint log =
                new AuditLogEndpoint(parts.audit(), watches, lookup, settings.retryAfter(), Clock.systemUTC());
        AuditExportEndpoint export =
                new AuditExportEndpoint(parts.audit(), watches, followers, parts.acts(), settings.retryAfter());
        AuditCheckEndpoint check = new AuditCheckEndpoint(parts.checks(), parts.acts(), settings.retryAfter());
        HoldsEndpoint holds = new HoldsEndpoint(submissions, parts.holds(), parts.acts(), Clock.systemUTC());
        NodeEndpoint node = new NodeEndpoint(parts.runs());
        return Stream.of(
                        needing(
                                SUBMIT,
                                POST,
                                "/v1/runs",
                                new SubmissionRates(parts.rates(), refusals).ahead(submit::answer)),
                        needing(READ, GET, "/v1/runs", json(runs::list)),
                        needing(READ, GET, "/v1/runs/{id}", json(runs::show)),
                        needing(CANCEL, POST, "/v1/runs/{id}/cancel", json(runs::cancel)),
                        needing(SUBMIT, POST, "/v1/runs/{id}/deadline", json(deadline::answer)),
                        needing(READ, GET, "/v1/runs/{id}/output", output::answer),
                        needing(Permission.DELETE, DELETE, "/v1/runs/{id}/output", json(deletions::output)),
                        needing(READ, GET, "/v1/runs/{id}/events", events::answer),
                        needing(READ, GET, "/v1/runs/{id}/artifacts", artifacts::list),
                        needing(READ, GET, "/v1/runs/{id}/artifacts/{path*}", artifacts::file),
                        needing(Permission.DELETE, DELETE, "/v1/runs/{id}/artifacts", json(deletions::artifacts)),
                        needing(READ, GET, "/v1/runs/{id}/webhooks", json(webhooks::list)),
                        needing(SUBMIT, POST, "/v1/runs/{id}/webhooks/{seq}/repeat", json(webhooks::repeat)),
                        needing(SUBMIT, PUT, "/v1/blobs/{digest}", json(blobs::put)),
                        needing(SUBMIT, HEAD, "/v1/blobs/{digest}", blobs::head),
                        needing(Permission.DELETE, DELETE, "/v1/blobs/{digest}", json(deletions::blob)),
                        needing(TOKENS, POST, "/v1/tokens", json(tokens::create)),
                        needing(TOKENS, GET, "/v1/tokens", json(tokens::list)),
                        needing(TOKENS, DELETE, "/v1/tokens/{id}", json(tokens::revoke)),
                        needing(TOKENS, POST, "/v1/tokens/{id}/rotate", json(tokens::rotate)),
                        needing(SECRETS, POST, "/v1/secrets", json(secrets::put)),
                        needing(READ, GET, "/v1/secrets", json(secrets::list)),
                        needing(SECRETS, DELETE, "/v1/secrets/{name}", json(secrets::remove)),
                        needing(TENANTS, GET, "/v1/tenants", json(tenants::list)),
                        needing(TENANTS, GET, "/v1/tenants/metrics", immediate(tenants::metrics)),
                        needing(READ, GET, "/v1/tenants/{tenant}/usage", json(tenants::usage)),
                        needing(TENANTS, PATCH, "/v1/tenants/{tenant}/quotas", json(tenants::set)),
                        needing(READ, GET, "/v1/tenants/{tenant}/webhooks", json(tenantWebhooks::show)),
                        needing(TENANTS, PUT, "/v1/tenants/{tenant}/webhooks", json(tenantWebhooks::set)),
                        needing(TENANTS, POST, "/v1/tenants/{tenant}/webhooks/key", json(tenantWebhooks::makeKey)),
                        needing(AUDIT, GET, "/v1/audit/events", audit::events),
                        needing(AUDIT, GET, "/v1/audit/export", export::answer),
                        needing(AUDIT, GET, "/v1/audit/counts", json(audit::counts)),
                        needing(AUDIT, GET, "/v1/audit/checkpoint", log::checkpoint),
                        needing(AUDIT, GET, "/v1/audit/tile/{path*}", log::tile),
                        needing(AUDIT, GET, "/v1/audit/consistency", log::consistency),
                        needing(CHECK, GET, "/v1/audit/check", json(check::show)),
                        needing(CHECK, POST, "/v1/audit/check", json(check::begin)),
                        needing(AUDIT, GET, "/v1/audit/holds", json(holds::list)),
                        needing(HOLDS, PUT, "/v1/audit/holds/{tenant}", json(holds::put)),
                        needing(HOLDS, DELETE, "/v1/audit/holds/{tenant}", json(holds::remove)),
                        needing(READ, GET, "/v1/runs/{id}/proof", log::proof),
                        needing(NODES, GET, "/v1/nodes", json(immediate(node::nodes))),
                        Operation.open(GET, "/openapi.yaml", node::openApi))
                .map(new ReadRates(parts.rates(), refusals)::counted)
                .toList();
    }
}
