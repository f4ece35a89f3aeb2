package dev.vivarium.node.webhook;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.protocol.run.RunId;
import io.micrometer.core.instrument.MeterRegistry;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.SingletonActor;

/** The store's deliveries, and the cluster's one sender. */
final class ClusterWebhooks implements Webhooks {
    private static final String NAME = "webhooks";
    private static final String LOOKUPS = "vivarium.webhook-dispatcher";
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);

    private final ActorSystem<?> system;
    private final WebhookStore store;
    private final ActorRef<Delivering.Command> sender;

    private ClusterWebhooks(ActorSystem<?> system, WebhookStore store, ActorRef<Delivering.Command> sender) {
        this.system = system;
        this.store = store;
        this.sender = sender;
    }

    static Webhooks start(
            ActorSystem<?> system,
            Store store,
            WebhookGuard guard,
            WebhookSettings settings,
            MeterRegistry metrics,
            Clock clock) {
        WebhookMetrics counted = new WebhookMetrics(metrics);
        Sender sender = new Sender(
                system,
                guard,
                settings.answerMax(),
                platformTrust(),
                system.dispatchers().lookup(DispatcherSelector.fromConfig(LOOKUPS)),
                clock);
        Delivering.Parts parts = new Delivering.Parts(
                store.webhooks(),
                store.tenants(),
                store.webhookSeal(),
                new WebhookSearch(store.audit(), store.journal(), store.tenants()),
                sender,
                settings,
                counted,
                clock,
                new SecureRandom());
        return new ClusterWebhooks(
                system,
                store.webhooks(),
                ClusterSingleton.get(system)
                        .init(SingletonActor.of(Delivering.create(parts), NAME)
                                .withStopMessage(new Delivering.HandOver())));
    }

    private static SSLContext platformTrust() {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("The Java platform's certificate authorities cannot be read.", missing);
        }
    }

    @Override
    public CompletionStage<List<Delivery>> of(RunId run) {
        return store.of(run);
    }

    @Override
    public CompletionStage<Repetition> repeat(RunId run, long seq) {
        return AskPattern.<Delivering.Command, Delivering.Repeated>ask(
                        sender, replyTo -> new Delivering.Repeat(run, seq, replyTo), ANSWER_MAX, system.scheduler())
                .exceptionally(late -> new Delivering.Repeated(
                        Delivering.Repeated.Answer.STORE_AWAY,
                        "The node that sends to webhooks does not answer; try again in a moment."))
                .thenApply(answer -> switch (answer.answer()) {
                    case QUEUED -> new Repetition.Queued();
                    case UNKNOWN -> new Repetition.Unknown();
                    case FULL -> new Repetition.Full(answer.sentence());
                    case STORE_AWAY -> throw new StoreUnavailable(answer.sentence());
                });
    }
}
