package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.Queued;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.WebhookEvent;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's messages to webhooks. */
public abstract class WebhookStoreContract {
    private static final AtomicInteger RUNS = new AtomicInteger(410_000);
    private static final int AT_ONCE = 4;

    /** Stores drop what is old, so times are of today. */
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);

    private final RunId run = Fixtures.run(RUNS.incrementAndGet());

    protected abstract WebhookStore webhooks();

    /** The same messages as seen by another node. */
    protected abstract WebhookStore elsewhere();

    @Test
    protected void whatWasQueuedIsSeenOnEveryNodeAsItWasQueued() {
        Delivery first = pending(2);
        Delivery second = new Delivery(
                message(7),
                new Progress(
                        State.GIVEN_UP,
                        3,
                        now,
                        now.plusSeconds(5),
                        Optional.of(now.minusSeconds(1)),
                        Optional.of("the queue is full")));

        assertThat(queue(webhooks(), first, second)).isEqualTo(Queued.DONE);

        assertThat(join(elsewhere().of(run))).containsExactly(first, second);
        assertThat(join(elsewhere().find(run, 7))).contains(second);
        assertThat(join(elsewhere().find(run, 8))).isEmpty();
        assertThat(ours(elsewhere(), now)).containsExactly(first);
    }

    @Test
    void aSearchContinuesWhereTheLastHasEndedAndOfTwoAtOnceOneDoes() {
        queue(webhooks(), pending(1));
        long from = join(webhooks().searched());

        List<CompletableFuture<Queued>> atOnce = IntStream.range(0, AT_ONCE)
                .mapToObj(n -> (n % 2 == 0 ? webhooks() : elsewhere())
                        .queue(List.of(), from, from + 1)
                        .toCompletableFuture())
                .toList();

        assertThat(atOnce.stream().map(CompletableFuture::join)).containsOnlyOnce(Queued.DONE);
        assertThat(join(elsewhere().searched())).isEqualTo(from + 1);
    }

    @Test
    void queuingAgainWhatWasDeliveredMeanwhileChangesNothing() {
        queue(webhooks(), pending(1));
        Delivery delivered = pending(1)
                .with(new Progress(State.DELIVERED, 1, now, now, Optional.of(now.plusSeconds(1)), Optional.of("200")));
        join(webhooks().update(delivered));

        queue(elsewhere(), pending(1));

        assertThat(join(webhooks().find(run, 1))).contains(delivered);
        assertThat(ours(webhooks(), now)).isEmpty();
    }

    @Test
    void whatIsPendingIsFoundFromWhenItWasQueuedOn() {
        Instant hoursAgo = now.minus(Duration.ofHours(5));
        Delivery early = pending(1, hoursAgo);
        Delivery late = pending(2, now);
        queue(webhooks(), early, late);

        assertThat(ours(elsewhere(), hoursAgo)).containsExactlyInAnyOrder(early, late);
        assertThat(ours(elsewhere(), hoursAgo.plusMillis(1))).containsExactly(late);
        assertThat(join(elsewhere().pending(hoursAgo, 1))).hasSize(1);
    }

    @Test
    void whatIsRepeatedIsPendingAgain() {
        Delivery before = pending(1, now.minus(Duration.ofHours(3)));
        queue(webhooks(), before);
        Progress gone = new Progress(
                State.GIVEN_UP,
                9,
                now.minus(Duration.ofHours(3)),
                now,
                Optional.of(now),
                Optional.of("no answer within 10 s"));
        join(webhooks().update(before.with(gone)));
        assertThat(ours(elsewhere(), now.minus(Duration.ofHours(4)))).isEmpty();

        Delivery again = pending(1, now);
        join(webhooks().update(again));

        assertThat(ours(elsewhere(), now.minus(Duration.ofHours(4)))).containsExactly(again);
    }

    @Test
    void anUpdateMakesNothing() {
        join(webhooks().update(pending(1)));

        assertThat(join(webhooks().of(run))).isEmpty();
        assertThat(ours(webhooks(), now)).isEmpty();
    }

    private Queued queue(WebhookStore store, Delivery... deliveries) {
        long from = join(store.searched());
        return join(store.queue(List.of(deliveries), from, from + 1));
    }

    private List<Delivery> ours(WebhookStore store, Instant since) {
        return join(store.pending(since, 10_000)).stream()
                .filter(delivery -> delivery.message().run().equals(run))
                .toList();
    }

    private Delivery pending(long seq) {
        return pending(seq, now);
    }

    private Delivery pending(long seq, Instant queuedAt) {
        return new Delivery(
                message(seq), new Progress(State.PENDING, 0, queuedAt, queuedAt, Optional.empty(), Optional.empty()));
    }

    private Message message(long seq) {
        return new Message(
                run,
                seq,
                new Tenant("blue"),
                WebhookEvent.ENDED,
                "https://hooks.example.com/runs?team=blue",
                "{\"type\":\"run.ended\",\"labels\":{\"a\":\"\\u0000\"}}");
    }

    protected static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
