package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.WebhookEvent;
import java.time.Instant;
import java.util.Optional;

/**
 * A message to a webhook, and what has become of it.
 *
 * @param id the message's name, which its receiver sees in the header {@code webhook-id}
 * @param seq the number of its event in the run, by which it is repeated
 * @param event what it tells
 * @param url where it goes
 * @param attempts how often it was sent since it was queued
 * @param queuedAt when it was queued, first or to be repeated
 * @param nextAt when it will be sent next, if it is pending
 * @param triedAt when it was sent last
 * @param answer what came of that
 */
public record WebhookDeliveryView(
        String id,
        long seq,
        WebhookEvent event,
        String url,
        State state,
        int attempts,
        Instant queuedAt,
        Optional<Instant> nextAt,
        Optional<Instant> triedAt,
        Optional<String> answer) {
    /** What has become of it. */
    public enum State {
        PENDING,
        DELIVERED,
        GIVEN_UP
    }
}
