package dev.vivarium.node.webhook;

import dev.vivarium.persistence.store.Store;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.protocol.run.RunId;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;

/**
 * A node's side of webhooks: lists deliveries, and has them repeated by the cluster's one sender. Stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable} while the store, or that sender, does not answer. Thread-safe.
 */
public interface Webhooks {
    /** A run's deliveries, by the numbers of their events. */
    CompletionStage<List<Delivery>> of(RunId run);

    /** Has a delivery sent again, whatever has become of it. */
    CompletionStage<Repetition> repeat(RunId run, long seq);

    /** What becomes of a request to repeat a delivery. */
    sealed interface Repetition {
        /** It is durable that it will be sent. */
        record Queued() implements Repetition {}

        /** There is no such delivery, or no longer. */
        record Unknown() implements Repetition {}

        /**
         * Too many wait.
         *
         * @param sentence which bound, for the user
         */
        record Full(String sentence) implements Repetition {}
    }

    /** Starts the sender, if the cluster wants it here; ends with the system. */
    static Webhooks start(
            ActorSystem<?> system,
            Store store,
            WebhookGuard guard,
            WebhookSettings settings,
            MeterRegistry metrics,
            Clock clock) {
        return ClusterWebhooks.start(system, store, guard, settings, metrics, clock);
    }

    /** The name under which a message is sent, each time the same. */
    static String id(Message message) {
        return WebhookMessages.id(message);
    }
}
