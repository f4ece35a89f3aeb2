package dev.vivarium.node.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.webhook.DeliveryQueue.Name;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which message is sent when, and how long it is tried. */
class DeliveryQueueTest {
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00Z");
    private static final RunId RUN = new RunId("01jdvwxyz0123456789abcdefg");
    private static final Tenant A = new Tenant("a");
    private static final Tenant B = new Tenant("b");

    /** 6 at a time, 3 of a tenant, 2 to an endpoint; 100 wait, 10 of a tenant. */
    private static final WebhookSettings SETTINGS = new WebhookSettings(
            Duration.ofMillis(500),
            Duration.ofSeconds(10),
            Duration.ofSeconds(5),
            Duration.ofHours(1),
            Duration.ofHours(24),
            6,
            3,
            2,
            100,
            10);

    private final DeliveryQueue queue = new DeliveryQueue(SETTINGS);

    @Test
    void aSlowEndpointTakesItsOwnPlacesAndHoldsUpNobody() {
        for (int n = 0; n < 8; n++) {
            add(n, A, "slow");
        }
        add(8, A, "quick");
        add(9, B, "quick");

        assertThat(queue.take(NOON)).hasSize(4).contains(name(8), name(9));
        assertThat(queue.take(NOON)).isEmpty();

        queue.done(name(8));
        add(10, A, "quick");
        assertThat(queue.take(NOON)).containsExactly(name(10));
    }

    @Test
    void aTenantWithManySlowEndpointsHoldsUpItselfOnly() {
        for (int n = 0; n < 8; n++) {
            add(n, A, "slow-" + n);
        }
        add(8, B, "quick");

        List<Name> taken = queue.take(NOON);

        assertThat(taken).hasSize(4).contains(name(8));
    }

    @Test
    void noMoreThanSoManyAreSentAtATime() {
        for (int n = 0; n < 9; n++) {
            add(n, new Tenant("t" + n), "endpoint-" + n);
        }

        assertThat(queue.take(NOON)).hasSize(6);

        queue.done(name(0));
        assertThat(queue.take(NOON)).hasSize(1);
    }

    @Test
    void endpointsTakeTurns() {
        List<Name> taken = new ArrayList<>();
        for (int n = 0; n < 6; n += 2) {
            add(n, A, "one");
            add(n + 1, A, "other");
        }
        for (int round = 0; round < 6; round++) {
            List<Name> now = queue.take(NOON);
            taken.addAll(now);
            now.forEach(queue::done);
        }

        assertThat(taken).hasSize(6).doesNotHaveDuplicates();
        assertThat(taken.subList(0, 2)).containsExactlyInAnyOrder(name(0), name(1));
    }

    @Test
    void aMessageIsNotTakenBeforeItIsDueAndTheEarliestComesFirst() {
        queue.add(name(1), A, "one", NOON.plusSeconds(2));
        queue.add(name(2), A, "one", NOON.plusSeconds(1));
        assertThat(queue.take(NOON)).isEmpty();

        assertThat(queue.take(NOON.plusSeconds(2))).containsExactly(name(2), name(1));

        queue.again(name(2), NOON.plusSeconds(9));
        assertThat(queue.take(NOON.plusSeconds(8))).isEmpty();
        assertThat(queue.take(NOON.plusSeconds(9))).containsExactly(name(2));
    }

    @Test
    void aMessageIsInTheQueueOnce() {
        add(1, A, "one");
        add(1, A, "one");

        assertThat(queue.take(NOON)).containsExactly(name(1));
        assertThat(queue.take(NOON)).isEmpty();
        add(1, A, "one");
        assertThat(queue.take(NOON)).as("it is in flight").isEmpty();
        queue.done(name(1));
        assertThat(queue.size()).isZero();
    }

    @Test
    void aTenantsWaitingMessagesAreBounded() {
        for (int n = 0; n < 9; n++) {
            add(n, A, "one");
        }
        assertThat(queue.full(A, 0)).isEmpty();
        assertThat(queue.full(A, 1)).hasValueSatisfying(why -> assertThat(why).contains("pending-of-tenant"));
        assertThat(queue.full(B, 9)).isEmpty();

        queue.take(NOON).forEach(queue::done);
        assertThat(queue.full(A, 1)).isEmpty();
    }

    @Test
    void pausesGrowUpToTheLongestAndTheEndIsStated() {
        Progress progress = new Progress(State.PENDING, 0, NOON, NOON, Optional.empty(), Optional.empty());
        Instant now = NOON;
        List<Long> pauses = new ArrayList<>();
        while (progress.state() == State.PENDING) {
            progress = SETTINGS.after(progress, SendResult.failed("HTTP 500"), now, 0);
            pauses.add(Duration.between(now, progress.nextAt()).toSeconds());
            now = progress.nextAt();
        }

        assertThat(pauses.subList(0, 11))
                .containsExactly(5L, 10L, 20L, 40L, 80L, 160L, 320L, 640L, 1280L, 2560L, 3600L);
        assertThat(progress.state()).isEqualTo(State.GIVEN_UP);
        assertThat(progress.answer()).contains("HTTP 500");
        assertThat(now).isBetween(NOON.plus(Duration.ofHours(22)), NOON.plus(Duration.ofHours(24)));
        assertThat(SETTINGS.after(pending(), SendResult.failed("x"), NOON, 1).nextAt())
                .isEqualTo(NOON.plusSeconds(4));
    }

    @Test
    void anAnswerEndsItAndOneThatWantsNoMoreDoesSoAtOnce() {
        assertThat(SETTINGS.after(pending(), new SendResult(SendResult.Kind.ACCEPTED, "HTTP 204"), NOON, 0)
                        .state())
                .isEqualTo(State.DELIVERED);
        assertThat(SETTINGS.after(pending(), new SendResult(SendResult.Kind.GONE, "HTTP 410"), NOON, 0)
                        .state())
                .isEqualTo(State.GIVEN_UP);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "look = 0s",
                "answer-max = 0s",
                "retry.first = 0s",
                "retry.max = 1s",
                "retry.max = 8d",
                "retry.give-up-after = 8d",
                "in-flight-max = 0",
                "in-flight-of-tenant = 0",
                "in-flight-of-endpoint = -1",
                "pending-max = 0",
                "pending-of-tenant = 0"
            })
    void aSettingThatIsOutOfBoundsIsNamed(String setting) {
        Assertions.assertThatThrownBy(() -> WebhookSettings.from(ConfigFactory.parseString(setting)
                        .withFallback(
                                ConfigFactory.parseResources("reference.conf").getConfig("vivarium.webhooks"))))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("vivarium.webhooks." + setting.split(" ", 2)[0]);
    }

    private static Progress pending() {
        return new Progress(State.PENDING, 0, NOON, NOON, Optional.empty(), Optional.empty());
    }

    private void add(long seq, Tenant tenant, String endpoint) {
        queue.add(name(seq), tenant, endpoint, NOON);
    }

    private static Name name(long seq) {
        return new Name(RUN, seq);
    }
}
