package dev.vivarium.node.admission;

import dev.vivarium.node.webhook.WebhookGuard;
import dev.vivarium.node.webhook.WebhookUrl;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads the field {@code webhook}: a URL, and what it is called for. */
final class WebhookFields {
    static final String WEBHOOK = "webhook";

    private static final String URL = "url";
    private static final String EVENTS = "events";
    private static final Map<String, WebhookEvent> WORDS = Arrays.stream(WebhookEvent.values())
            .collect(Collectors.toUnmodifiableMap(WebhookEvent::toString, Function.identity()));

    private final Fields fields;
    private final Findings findings;
    private final WebhookGuard guard;

    WebhookFields(Fields fields, Findings findings, WebhookGuard guard) {
        this.fields = fields;
        this.findings = findings;
        this.guard = guard;
    }

    /** A run's: its own, or the tenant's if it names none. */
    Optional<Webhook> ofRun(Tenant tenant, TenantWebhooks set) {
        if (!fields.has(WEBHOOK)) {
            return set.keys().isEmpty() ? Optional.empty() : set.fallback();
        }
        Optional<Webhook> webhook = read();
        if (webhook.isPresent() && set.keys().isEmpty()) {
            findings.add(
                    WEBHOOK,
                    "cannot be signed, since tenant " + tenant + " has no key yet: have an operator make one with"
                            + " `vivarium webhooks key " + tenant + "`");
        }
        return webhook;
    }

    /** Nothing if it is null, as the API shows a run without one. */
    Optional<Webhook> read() {
        if (fields.isNull(WEBHOOK)) {
            return Optional.empty();
        }
        return fields.object(WEBHOOK, Set.of(URL, EVENTS)).flatMap(asked -> {
            if (!asked.has(URL)) {
                findings.add(
                        asked.pathOf(URL), "is required: where messages go, such as https://hooks.example.com/runs");
            }
            List<WebhookEvent> events = events(asked);
            return asked.text(URL).filter(url -> isGood(asked, url)).map(url -> new Webhook(url, events));
        });
    }

    private boolean isGood(Fields asked, String url) {
        try {
            Optional<String> refusal = guard.refusal(WebhookUrl.parse(url));
            refusal.ifPresent(why -> findings.add(asked.pathOf(URL), why));
            return refusal.isEmpty();
        } catch (IllegalArgumentException malformed) {
            findings.add(asked.pathOf(URL), String.valueOf(malformed.getMessage()));
            return false;
        }
    }

    private List<WebhookEvent> events(Fields asked) {
        if (!asked.has(EVENTS)) {
            return Webhook.ALL_EVENTS;
        }
        List<String> words = asked.texts(EVENTS).orElse(List.of());
        List<WebhookEvent> events = new ArrayList<>();
        for (String word : words) {
            Optional.ofNullable(WORDS.get(word)).ifPresent(events::add);
        }
        if (events.isEmpty() || events.size() < words.size() || words.size() > WORDS.size()) {
            findings.add(
                    asked.pathOf(EVENTS),
                    "must be some of "
                            + Webhook.ALL_EVENTS.stream()
                                    .map(WebhookEvent::toString)
                                    .collect(Collectors.joining(", "))
                            + ", each once at most; leave it out for all of them");
        }
        return events;
    }
}
