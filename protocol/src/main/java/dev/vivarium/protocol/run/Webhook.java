package dev.vivarium.protocol.run;

import java.util.List;

/**
 * Where a node sends a message about what happens to a run. Everybody who may see the run sees it.
 *
 * @param url an http or https URL of ASCII characters, without user information and fragment
 * @param events what it is called for, sorted, without repetition; at least one
 */
public record Webhook(String url, List<WebhookEvent> events) {
    /** All that it can be called for. */
    public static final List<WebhookEvent> ALL_EVENTS = List.of(WebhookEvent.values());

    public Webhook {
        events = events.stream().distinct().sorted().toList();
    }
}
