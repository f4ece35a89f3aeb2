package dev.vivarium.node.webhook;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;
import org.apache.pekko.Done;

/** A store of messages that outlives the senders of a test, and can be away. */
final class InMemoryDeliveries implements WebhookStore {
    private final Map<String, Delivery> all = new ConcurrentSkipListMap<>();
    private long searched;
    private boolean isAway;

    synchronized void goAway() {
        isAway = true;
    }

    synchronized void comeBack() {
        isAway = false;
    }

    synchronized Optional<Delivery> at(RunId run, long seq) {
        return Optional.ofNullable(all.get(key(run, seq)));
    }

    private static String key(RunId run, long seq) {
        return run + "-%06d".formatted(seq);
    }

    private synchronized <T> CompletionStage<T> answer(Supplier<T> value) {
        return isAway
                ? CompletableFuture.failedStage(new StoreUnavailable("The store is away."))
                : CompletableFuture.completedStage(value.get());
    }

    @Override
    public CompletionStage<Long> searched() {
        return answer(() -> searched);
    }

    @Override
    public CompletionStage<Queued> queue(List<Delivery> found, long from, long to) {
        return answer(() -> {
            if (from != searched) {
                return Queued.SEARCHED_MEANWHILE;
            }
            found.forEach(delivery -> all.putIfAbsent(
                    key(delivery.message().run(), delivery.message().seq()), delivery));
            searched = to;
            return Queued.DONE;
        });
    }

    @Override
    public CompletionStage<Done> update(Delivery delivery) {
        return answer(() -> {
            all.replace(key(delivery.message().run(), delivery.message().seq()), delivery);
            return Done.getInstance();
        });
    }

    @Override
    public CompletionStage<Optional<Delivery>> find(RunId run, long seq) {
        return answer(() -> at(run, seq));
    }

    @Override
    public CompletionStage<List<Delivery>> of(RunId run) {
        return answer(() -> all.values().stream()
                .filter(delivery -> delivery.message().run().equals(run))
                .toList());
    }

    @Override
    public CompletionStage<List<Delivery>> pending(Instant queuedSince, int limit) {
        return answer(() -> all.values().stream()
                .filter(delivery -> delivery.progress().state() == State.PENDING)
                .filter(delivery -> !delivery.progress().queuedAt().isBefore(queuedSince))
                .limit(limit)
                .toList());
    }

    @Override
    public CompletionStage<Done> forget(Instant queuedBefore) {
        return answer(Done::getInstance);
    }
}
