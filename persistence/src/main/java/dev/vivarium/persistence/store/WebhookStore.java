package dev.vivarium.persistence.store;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.WebhookEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * What has to be sent to webhooks, for all nodes of an installation, and how far the order of all events was searched for
 * it. One node of a cluster writes; should two do so, as in a split, a message may be sent twice, and none is lost. Every
 * stage fails with {@link dev.vivarium.persistence.journal.StoreUnavailable} when the outcome is unknown. Thread-safe.
 */
public interface WebhookStore {
    /** How long a delivery is listed, from when it was last queued. */
    Duration KEPT = Duration.ofDays(30);

    /** What has become of a delivery. */
    enum State {
        /** Not yet accepted by its endpoint. */
        PENDING,
        /** Its endpoint has answered with a status of success. */
        DELIVERED,
        /** Not sent any more: too many failures, for too long. */
        GIVEN_UP
    }

    /**
     * A message to a webhook.
     *
     * @param run the run that it is about
     * @param seq the number of its event in the run; both together name the delivery
     * @param tenant the run's tenant
     * @param event what it tells
     * @param url where it goes
     * @param body what is sent, each time the same
     */
    record Message(RunId run, long seq, Tenant tenant, WebhookEvent event, String url, String body) {}

    /**
     * How far a message has come.
     *
     * @param attempts how often it was sent since it was queued
     * @param queuedAt when it was queued, first or to be repeated
     * @param nextAt when it is to be sent next, if it is pending
     * @param triedAt when it was sent last
     * @param answer what came of that, as a sentence or a status
     */
    record Progress(
            State state,
            int attempts,
            Instant queuedAt,
            Instant nextAt,
            Optional<Instant> triedAt,
            Optional<String> answer) {}

    /** A message, and how far it has come. */
    record Delivery(Message message, Progress progress) {
        /** The same message, further on. */
        public Delivery with(Progress next) {
            return new Delivery(message, next);
        }
    }

    /** The result of {@link #queue}. */
    enum Queued {
        /** All of it is durable. */
        DONE,
        /** Another node has searched on meanwhile. */
        SEARCHED_MEANWHILE
    }

    /** How far the order of events was searched: the first position that was not; 0 at first. */
    CompletionStage<Long> searched();

    /**
     * Queues what was found in the order, and notes how far it was searched. A delivery that is there already stays as it
     * is.
     *
     * @param from what {@link #searched} was
     * @param to what it will be
     */
    CompletionStage<Queued> queue(List<Delivery> found, long from, long to);

    /** Replaces a delivery's progress; one that is not there, or no longer, is not made. */
    CompletionStage<Done> update(Delivery delivery);

    /** A delivery; empty when there is none, or no longer. */
    CompletionStage<Optional<Delivery>> find(RunId run, long seq);

    /** A run's deliveries, by the numbers of their events. */
    CompletionStage<List<Delivery>> of(RunId run);

    /**
     * All that are pending.
     *
     * @param queuedSince only those that were queued since; earlier ones have been given up
     * @param limit at most so many
     */
    CompletionStage<List<Delivery>> pending(Instant queuedSince, int limit);

    /** Removes deliveries that were queued before a time. A store whose rows expire by themselves need not. */
    CompletionStage<Done> forget(Instant queuedBefore);
}
