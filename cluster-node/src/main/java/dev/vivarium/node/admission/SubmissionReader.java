package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.network.gateway.ListedDestinations;
import dev.vivarium.node.webhook.WebhookGuard;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.ImageRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.PathGlob;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The only place where the body of a submission is parsed: hostile bytes become a typed {@link Submission}, or a list
 * of everything wrong with them. Later code does not check again.
 */
public final class SubmissionReader {
    private static final Set<String> FIELDS = Set.of(
            "image",
            "command",
            "env",
            "secrets",
            "namedSecrets",
            "workdir",
            "files",
            "artifacts",
            "limits",
            "warning",
            "egress",
            "isolation",
            "onNodeLoss",
            "maxAttempts",
            "labels",
            WebhookFields.WEBHOOK);
    private static final Map<String, NodeLossPolicy> NODE_LOSS_POLICIES =
            Map.of("restart", NodeLossPolicy.RESTART, "fail", NodeLossPolicy.FAIL);
    private static final Map<String, WarningSignal> WARNING_SIGNALS = Arrays.stream(WarningSignal.values())
            .collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));
    private static final int MAX_WORKDIR_BYTES = 1_024;
    private static final int MAX_ARTIFACTS = 32;

    private final LimitPolicy limitPolicy;
    private final AdmissionSettings settings;
    private final Offers offers;
    private static final String ASK_FOR_NONE =
            "; a run that needs no network asks for \"egress\": {\"mode\": \"none\"} (--egress none)";

    private final StrictJson json;

    /**
     * What the node currently supports.
     *
     * @param isolations isolation classes
     * @param egressModes egress modes
     * @param egressRefusal why it does not support a mode, as a sentence that says what to do, where it knows
     * @param destinations what its sandboxes can reach at all
     * @param webhookGuard where its messages to webhooks can go
     * @param webhooks what is set for the webhooks of a tenant
     */
    public record Offers(
            Supplier<Set<Isolation>> isolations,
            Supplier<Set<EgressPolicy.Mode>> egressModes,
            Function<EgressPolicy.Mode, Optional<String>> egressRefusal,
            ListedDestinations destinations,
            WebhookGuard webhookGuard,
            Function<Tenant, TenantWebhooks> webhooks) {}

    public SubmissionReader(LimitPolicy limitPolicy, AdmissionSettings settings, Offers offers) {
        this.limitPolicy = limitPolicy;
        this.settings = settings;
        this.offers = offers;
        this.json = new StrictJson(settings.maxBodyBytes());
    }

    /** The result of reading a body. */
    public sealed interface Reading {
        /** A valid submission. */
        record Valid(Submission submission) implements Reading {}

        /**
         * JSON, but not a valid submission.
         *
         * @param errors all errors, at least one
         */
        record Invalid(List<FieldError> errors) implements Reading {}

        /**
         * A valid submission, which its caller may not make.
         *
         * @param errors everything that the caller may not, at least one
         */
        record Forbidden(List<FieldError> errors) implements Reading {}

        /**
         * Not JSON.
         *
         * @param sentence the reason, for the user
         */
        record Malformed(String sentence) implements Reading {}
    }

    /**
     * Reads a body. Never throws, whatever its content.
     *
     * @param caller whose tenant and scope the submission has to keep to
     */
    public Reading read(byte[] body, Identity caller) {
        StrictJson.Parsed parsed = json.parseObject(body);
        if (parsed instanceof StrictJson.Parsed.Malformed malformed) {
            return new Reading.Malformed(malformed.sentence());
        }
        JsonNode root = ((StrictJson.Parsed.Tree) parsed).root();
        Findings findings = new Findings();
        Submission submission =
                new OneBody(Fields.of("", root, FIELDS, findings), findings, new Grants(caller)).submission(root);
        if (findings.isEmpty()) {
            SpecSize.check(submission, settings.maxSpecBytes(), findings);
        }
        if (!findings.isEmpty()) {
            return new Reading.Invalid(findings.all());
        }
        List<FieldError> beyond = new Grants(caller).beyond(submission);
        return beyond.isEmpty() ? new Reading.Valid(submission) : new Reading.Forbidden(beyond);
    }

    /** Reads one body; its result is valid only if there are no findings. */
    private final class OneBody {
        private final Fields fields;
        private final Findings findings;
        private final Grants grants;

        OneBody(Fields fields, Findings findings, Grants grants) {
            this.fields = fields;
            this.findings = findings;
            this.grants = grants;
        }

        Submission submission(JsonNode root) {
            ProcessFields process = new ProcessFields(fields, findings);
            String image = image();
            List<String> command = process.command();
            Map<String, String> env = process.env();
            RequestedSecrets secrets = process.secrets(env);
            process.checkTotal();
            Limits limits = limits();
            Map<String, String> labels = labels();
            Tenant tenant = tenant(labels);
            return new Submission(
                    image,
                    command,
                    env,
                    secrets.own(),
                    secrets.named(),
                    workdir(),
                    new FileFields(fields, findings).read(limits),
                    artifacts(),
                    limits,
                    warning(limits),
                    egress(secrets),
                    isolation(),
                    fields.word("onNodeLoss", NODE_LOSS_POLICIES).orElse(NodeLossPolicy.RESTART),
                    maxAttempts(),
                    labels,
                    tenant,
                    new WebhookFields(fields, findings, offers.webhookGuard())
                            .ofRun(tenant, offers.webhooks().apply(tenant)),
                    CanonicalDigest.ofBody(root));
        }

        private String image() {
            if (!fields.has("image")) {
                findings.add("image", "is required: name the image of the sandbox, such as vivarium/python");
            }
            Optional<String> image = fields.text("image");
            if (image.isPresent() && !ImageRef.isValid(image.get())) {
                findings.add("image", ImageRef.RULE);
            }
            return image.orElse("");
        }

        private String workdir() {
            Optional<String> workdir = fields.text("workdir");
            workdir.ifPresent(path -> {
                if (!path.startsWith("/")
                        || path.indexOf('\0') >= 0
                        || path.getBytes(StandardCharsets.UTF_8).length > MAX_WORKDIR_BYTES) {
                    findings.add(
                            "workdir",
                            "must be an absolute path without NUL, of at most " + MAX_WORKDIR_BYTES + " bytes");
                }
            });
            return workdir.orElse(FileFields.WORKSPACE);
        }

        private Limits limits() {
            Limits asked =
                    fields.object("limits", Limit.names()).map(Fields::limits).orElse(Limits.NONE);
            LimitPolicy.Verdict verdict = limitPolicy.decide(grants.withDefaults(asked, limitPolicy.defaults()));
            if (verdict instanceof LimitPolicy.Verdict.Refused refused) {
                refused.errors().forEach(error -> findings.add(error.field(), error.message()));
                return limitPolicy.defaults();
            }
            return ((LimitPolicy.Verdict.Granted) verdict).limits();
        }

        private Optional<Warning> warning(Limits limits) {
            if (fields.isNull("warning")) {
                // As the API shows a run without one.
                return Optional.empty();
            }
            return fields.object("warning", Set.of("before", "signal")).flatMap(asked -> {
                if (!asked.has("before")) {
                    findings.add(asked.pathOf("before"), "is required: how long before the deadline, such as 30s");
                }
                WarningSignal signal = asked.word("signal", WARNING_SIGNALS).orElse(Warning.DEFAULT_SIGNAL);
                TimeSpan wallClock = limits.get(Limit.WALL_CLOCK);
                return asked.time("before").map(before -> {
                    if (before.millis() < 1 || before.compareTo(wallClock) >= 0) {
                        findings.add(
                                asked.pathOf("before"),
                                "must be at least 1ms and less than " + wallClock + ", the run's limits.wallClock");
                    }
                    return new Warning(before, signal);
                });
            });
        }

        private List<String> artifacts() {
            List<String> patterns = fields.texts("artifacts").orElse(List.of());
            if (patterns.size() > MAX_ARTIFACTS) {
                findings.add("artifacts", "are " + patterns.size() + "; at most " + MAX_ARTIFACTS + " can be given");
                return List.of();
            }
            for (int at = 0; at < patterns.size(); at++) {
                try {
                    PathGlob.parse(patterns.get(at));
                } catch (IllegalArgumentException malformed) {
                    findings.add("artifacts[" + at + "]", String.valueOf(malformed.getMessage()));
                }
            }
            return patterns;
        }

        private EgressPolicy egress(RequestedSecrets secrets) {
            Optional<Fields> asked = fields.object("egress", Set.of("mode", "allow", "inject"));
            EgressPolicy.Mode mode = egressMode(asked);
            return new EgressFields(asked, findings, offers.destinations()).read(mode, secrets);
        }

        private EgressPolicy.Mode egressMode(Optional<Fields> asked) {
            EgressPolicy.Mode mode = asked.flatMap(egress -> {
                        if (!egress.has("mode")) {
                            findings.add("egress.mode", "is required");
                        }
                        return egress.word("mode", AdmissionSettings.EGRESS_MODES);
                    })
                    .orElse(settings.egressDefault());
            if (mode.compareTo(settings.egressCeiling()) > 0) {
                findings.add(
                        "egress.mode",
                        "must be at most " + word(settings.egressCeiling())
                                + ", the ceiling that this node's operator set");
            } else if (!offers.egressModes().get().contains(mode)) {
                findings.add(
                        "egress.mode",
                        word(mode) + (asked.isPresent() ? "" : ", the default,")
                                + " is not available on this node; it offers "
                                + offers.egressModes().get().stream()
                                        .sorted()
                                        .map(OneBody::word)
                                        .collect(Collectors.joining(" and "))
                                + (asked.isPresent() ? "" : ASK_FOR_NONE)
                                + offers.egressRefusal()
                                        .apply(mode)
                                        .map(why -> ". " + why)
                                        .orElse(""));
            }
            return mode;
        }

        private static String word(EgressPolicy.Mode mode) {
            return mode.name().toLowerCase(Locale.ROOT);
        }

        private Isolation isolation() {
            Isolation isolation =
                    fields.word("isolation", AdmissionSettings.ISOLATIONS).orElse(settings.isolationDefault());
            if (isolation.compareTo(settings.isolationMinimum()) < 0) {
                findings.add(
                        "isolation",
                        "must be at least " + name(settings.isolationMinimum())
                                + ", the minimum that this node's operator set");
            } else if (!offers.isolations().get().contains(isolation)) {
                findings.add("isolation", name(isolation) + " is not available on this node; it offers " + offered());
            }
            return isolation;
        }

        private String offered() {
            List<String> names = offers.isolations().get().stream()
                    .sorted()
                    .map(SubmissionReader::name)
                    .toList();
            return names.isEmpty() ? "none at the moment" : String.join(", ", names);
        }

        private int maxAttempts() {
            long attempts = fields.wholeNumber("maxAttempts").orElse((long) settings.maxAttemptsDefault());
            if (attempts < 1 || attempts > settings.maxAttemptsCeiling()) {
                findings.add("maxAttempts", "must be from 1 to " + settings.maxAttemptsCeiling());
                return 1;
            }
            return (int) attempts;
        }

        private Map<String, String> labels() {
            Map<String, String> labels = LabelFields.read(fields, findings);
            labels.putIfAbsent(RunSpec.TENANT_LABEL, grants.tenant().name());
            return labels;
        }

        /** The tenant that the caller acts for. Only here is it read from the label. */
        private Tenant tenant(Map<String, String> labels) {
            String name = labels.getOrDefault(RunSpec.TENANT_LABEL, Tenant.DEFAULT.name());
            if (name.isEmpty()) {
                findings.add(
                        "labels." + RunSpec.TENANT_LABEL, "must not be empty: leave it out for the default tenant");
            }
            return Tenant.isValid(name) ? new Tenant(name) : Tenant.DEFAULT;
        }
    }

    private static String name(Isolation isolation) {
        return AdmissionSettings.ISOLATIONS.entrySet().stream()
                .filter(entry -> entry.getValue() == isolation)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }
}
