package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.webhook.WebhookGuard;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.Webhook;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The only place where the body of a request to set a tenant's webhook is parsed. */
public final class WebhookReader {
    private static final int BODY_BYTES_MAX = 16 << 10;

    private final WebhookGuard guard;
    private final StrictJson json = new StrictJson(BODY_BYTES_MAX);

    public WebhookReader(WebhookGuard guard) {
        this.guard = guard;
    }

    /** The result of reading a body. */
    public sealed interface Reading {
        /**
         * Valid.
         *
         * @param webhook empty for none
         */
        record Valid(Optional<Webhook> webhook) implements Reading {}

        /**
         * JSON, but no webhook.
         *
         * @param errors all errors, at least one
         */
        record Invalid(List<FieldError> errors) implements Reading {}

        /** Not JSON. */
        record Malformed(String sentence) implements Reading {}
    }

    /** Reads a body. Never throws, whatever its content. */
    public Reading read(byte[] body) {
        StrictJson.Parsed parsed = json.parseObject(body);
        if (parsed instanceof StrictJson.Parsed.Malformed malformed) {
            return new Reading.Malformed(malformed.sentence());
        }
        JsonNode root = ((StrictJson.Parsed.Tree) parsed).root();
        Findings findings = new Findings();
        Fields fields = Fields.of("", root, Set.of(WebhookFields.WEBHOOK), findings);
        if (!fields.has(WebhookFields.WEBHOOK)) {
            findings.add(WebhookFields.WEBHOOK, "is required: an object with a url, or null for none");
        }
        Optional<Webhook> webhook = new WebhookFields(fields, findings, guard).read();
        return findings.isEmpty() ? new Reading.Valid(webhook) : new Reading.Invalid(findings.all());
    }
}
