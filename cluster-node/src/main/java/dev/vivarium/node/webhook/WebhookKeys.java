package dev.vivarium.node.webhook;

import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the keys that sign what is sent to webhooks, and replaces them: for a time, both sign. Thread-safe. */
public final class WebhookKeys {
    /** So many sign at a time at most; of more, those that end first go at once. */
    static final int KEYS_MAX = 4;

    private final WebhookSeal seal;
    private final Clock clock;

    public WebhookKeys(WebhookSeal seal, Clock clock) {
        this.seal = seal;
        this.clock = clock;
    }

    /** A key that nothing is signed with yet, and its secret. */
    public record Made(WebhookKey key, WebhookSeal.Secret secret) {}

    /** Makes a key. */
    public Made make(Tenant tenant) {
        WebhookKey key = seal.newKey(now());
        return new Made(key, seal.secret(tenant, key).orElseThrow());
    }

    /**
     * The settings with a new key.
     *
     * @param overlap how long the keys before it sign on
     */
    public TenantWebhooks with(TenantWebhooks before, WebhookKey key, Duration overlap) {
        Instant end = now().plus(overlap);
        List<WebhookKey> keys = new ArrayList<>(List.of(key));
        signing(before).stream()
                .map(earlier -> new WebhookKey(
                        earlier.id(),
                        earlier.master(),
                        earlier.madeAt(),
                        Optional.of(earlier.endsAt().filter(end::isAfter).orElse(end))))
                .filter(earlier -> earlier.signsAt(now()))
                .limit(KEYS_MAX - 1L)
                .forEach(keys::add);
        return new TenantWebhooks(before.fallback(), keys);
    }

    /** The keys that sign now, the latest first. */
    public List<WebhookKey> signing(TenantWebhooks set) {
        return set.keys().stream().filter(key -> key.signsAt(now())).toList();
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
