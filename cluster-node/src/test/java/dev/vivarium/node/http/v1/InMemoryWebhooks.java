package dev.vivarium.node.http.v1;

import dev.vivarium.node.webhook.Webhooks;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;

/** Messages to webhooks that a test puts here. */
final class InMemoryWebhooks implements Webhooks {
    final List<Delivery> all = new CopyOnWriteArrayList<>();
    Optional<String> full = Optional.empty();

    @Override
    public CompletionStage<List<Delivery>> of(RunId run) {
        return CompletableFuture.completedStage(all.stream()
                .filter(delivery -> delivery.message().run().equals(run))
                .toList());
    }

    @Override
    public CompletionStage<Repetition> repeat(RunId run, long seq) {
        if (full.isPresent()) {
            return CompletableFuture.completedStage(new Repetition.Full(full.get()));
        }
        boolean isHere = all.stream()
                .anyMatch(delivery -> delivery.message().run().equals(run)
                        && delivery.message().seq() == seq);
        all.replaceAll(delivery -> delivery.message().seq() == seq
                ? delivery.with(new Progress(
                        State.PENDING,
                        0,
                        delivery.progress().queuedAt(),
                        delivery.progress().nextAt(),
                        delivery.progress().triedAt(),
                        delivery.progress().answer()))
                : delivery);
        return CompletableFuture.completedStage(isHere ? new Repetition.Queued() : new Repetition.Unknown());
    }
}
