package dev.vivarium.node.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.doubles.InMemoryAudit;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.doubles.InMemoryTenants;
import dev.vivarium.node.sandbox.Specs;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.access.TenantWebhooks;
import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.Usage;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From the order of all events to an endpoint, across ends of the node that sends. */
@Timeout(60)
class DeliveringTest {
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00Z");
    private static final RunId RUN = new RunId("01jdvwxyz0123456789abcdefg");
    private static final RunId OTHER = new RunId("01jdvwxyz0123456789abcdeff");
    private static final Tenant TENANT = Tenant.DEFAULT;

    private final ActorTestKit kit = ActorTestKit.create(
            "delivering",
            ConfigFactory.parseString("pekko.actor.provider = local, pekko.loglevel = WARNING")
                    .withFallback(ConfigFactory.load()));
    private final InMemoryAudit audit = new InMemoryAudit();
    private final InMemoryTenants tenants = new InMemoryTenants();
    private final InMemoryDeliveries store = new InMemoryDeliveries();
    private final WebhookSeal seal = new WebhookSeal(List.of(SecretSeal.Key.random()));
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private Receiver receiver;

    @BeforeEach
    void start() throws IOException {
        receiver = new Receiver("127.0.0.1");
        audit.head = new AuditHead(0, 0);
        WebhookKey key = seal.newKey(NOON);
        tenants.replace(
                        TENANT,
                        0,
                        new TenantSettings(
                                Map.of(),
                                new TenantWebhooks(Optional.empty(), List.of(key)),
                                Principal.LOCAL_OPERATOR,
                                NOON))
                .toCompletableFuture()
                .join();
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
        receiver.close();
    }

    @Test
    void aWebhookIsToldOfEachOfItsEventsOnce() throws Exception {
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS));
        send();
        happen(RUN, starting(), started(1), alarm(KillReason.MEMORY), alarm(KillReason.WALL_CLOCK), killed());

        await().untilAsserted(() -> assertThat(delivered()).containsExactlyInAnyOrder(3L, 5L, 6L));

        assertThat(receiver.received).hasSize(3);
        JsonNode end = body("run.ended");
        assertThat(end.path("id").asText()).isEqualTo("msg_" + RUN + "_6");
        assertThat(end.path("timestamp").asText()).isEqualTo(NOON.toString());
        assertThat(end.path("data").path("run").asText()).isEqualTo(RUN.value());
        assertThat(end.path("data").path("tenant").asText()).isEqualTo("default");
        assertThat(end.path("data").path("labels").path("team").asText()).isEqualTo("research");
        assertThat(end.path("data").path("state").asText()).isEqualTo("KILLED");
        assertThat(end.path("data").path("reason").asText()).isEqualTo("WALL_CLOCK");
        assertThat(body("run.started").path("data").path("state").asText()).isEqualTo("RUNNING");
        assertThat(body("run.warning")
                        .path("data")
                        .path("measurement")
                        .path("limit")
                        .asLong())
                .isEqualTo(1000);
    }

    @Test
    void itIsToldOfNothingElse() {
        happen(RUN, submitted(RUN, List.of(WebhookEvent.ENDED)));
        happen(OTHER, withoutWebhook(), starting(), started(1), killed());
        happen(RUN, starting(), started(1), killed());
        send();

        await().untilAsserted(() -> assertThat(delivered()).containsExactly(4L));
        await().until(() -> join(store.searched()) == audit.events.size());
        assertThat(join(store.of(OTHER))).isEmpty();
        assertThat(receiver.received).hasSize(1);
    }

    /** The event of a run that was submitted before the sender began is found by its journal. */
    @Test
    void theNextSenderGoesOnWhereTheLastHasStopped() {
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
        ActorRef<Delivering.Command> first = send();
        await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
        kit.stop(first);

        happen(RUN, killed());
        send();

        await().untilAsserted(() -> assertThat(delivered()).containsExactlyInAnyOrder(3L, 4L));
        assertThat(receiver.received).hasSize(2);
    }

    @Test
    void aMessageThatItsSenderDidNotSeeAnsweredIsSentAgainUnderItsName() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        receiver.answer(exchange -> hold(end));
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
        ActorRef<Delivering.Command> first = send();
        await().until(() -> receiver.received.size() == 1);
        kit.stop(first);
        end.countDown();
        receiver.answer(204);

        send();

        await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
        assertThat(receiver.received).hasSize(2).allSatisfy(received -> assertThat(received.header("Webhook-id"))
                .isEqualTo("msg_" + RUN + "_3"));
    }

    @Test
    void aMessageIsRetriedUntilItIsAccepted() {
        receiver.answer(503);
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
        send();
        await().until(() -> receiver.received.size() >= 3);
        assertThat(store.at(RUN, 3).orElseThrow().progress().state()).isEqualTo(State.PENDING);
        assertThat(store.at(RUN, 3).orElseThrow().progress().answer()).contains("HTTP 503");

        receiver.answer(200);

        await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
        assertThat(store.at(RUN, 3).orElseThrow().progress().attempts()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void whatWasGivenUpCanBeRepeated() {
        receiver.answer(410);
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
        ActorRef<Delivering.Command> sender = send();
        await().until(() -> store.at(RUN, 3)
                .filter(delivery -> delivery.progress().state() == State.GIVEN_UP)
                .isPresent());
        receiver.answer(200);
        TestProbe<Delivering.Repeated> probe = kit.createTestProbe();

        sender.tell(new Delivering.Repeat(RUN, 3, probe.getRef()));
        assertThat(probe.receiveMessage().answer()).isEqualTo(Delivering.Repeated.Answer.QUEUED);
        await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
        sender.tell(new Delivering.Repeat(RUN, 99, probe.getRef()));
        assertThat(probe.receiveMessage().answer()).isEqualTo(Delivering.Repeated.Answer.UNKNOWN);
        assertThat(receiver.received).hasSize(2).allSatisfy(received -> assertThat(received.header("Webhook-id"))
                .isEqualTo("msg_" + RUN + "_3"));
    }

    @Test
    void aStoreThatIsAwayIsWaitedFor() {
        store.goAway();
        ActorRef<Delivering.Command> sender = send();
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
        TestProbe<Delivering.Repeated> probe = kit.createTestProbe();
        sender.tell(new Delivering.Repeat(RUN, 3, probe.getRef()));
        assertThat(probe.receiveMessage().answer()).isEqualTo(Delivering.Repeated.Answer.STORE_AWAY);
        assertThat(receiver.received).isEmpty();

        store.comeBack();

        await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
    }

    @Test
    void whileOneEndpointIsDeadOthersAreTold() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (Receiver dead = new Receiver("127.0.0.1")) {
            dead.answer(exchange -> hold(end));
            for (int n = 0; n < 20; n++) {
                RunId run = new RunId("01jdvwxyz0123456789abcde%02d".formatted(n));
                happen(run, submitted(run, dead.url("/"), Webhook.ALL_EVENTS), starting(), started(1));
            }
            happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));
            send();

            await().untilAsserted(() -> assertThat(delivered()).containsExactly(3L));
            assertThat(dead.received).hasSizeLessThanOrEqualTo(2);
            end.countDown();
        }
    }

    @Test
    void whereNoTenantHasAKeyTheOrderIsPassedOverUnread() {
        InMemoryTenants none = new InMemoryTenants();
        WebhookSearch search = new WebhookSearch(audit, new InMemoryRuns(), none);
        happen(RUN, submitted(RUN, Webhook.ALL_EVENTS), starting(), started(1));

        WebhookSearch.Result found = join(search.from(0));

        assertThat(found.to()).isEqualTo(3);
        assertThat(found.messages()).isEmpty();
        assertThat(audit.reads.get()).isZero();
    }

    @Test
    void messagesToTheSenderGoFromNodeToNode() {
        TestProbe<Delivering.Repeated> probe = kit.createTestProbe();
        kit.serializationTestKit().verifySerialization(new Delivering.Repeat(RUN, 3, probe.getRef()), true);
        kit.serializationTestKit()
                .verifySerialization(new Delivering.Repeated(Delivering.Repeated.Answer.FULL, "full"), true);
    }

    private ActorRef<Delivering.Command> send() {
        WebhookSettings settings = new WebhookSettings(
                Duration.ofMillis(20),
                Duration.ofSeconds(30),
                Duration.ofMillis(20),
                Duration.ofMillis(40),
                Duration.ofHours(1),
                8,
                4,
                2,
                100,
                50);
        return kit.spawn(Delivering.create(new Delivering.Parts(
                store,
                tenants,
                seal,
                new WebhookSearch(audit, runs, tenants),
                new Sender(kit.system(), guard(), settings.answerMax(), trust(), Runnable::run, Clock.systemUTC()),
                settings,
                new WebhookMetrics(metrics),
                Clock.systemUTC(),
                RandomGenerator.getDefault())));
    }

    /** The journal of the runs whose events are in the order. */
    private final RunJournal runs = (run, fromSeq) -> CompletableFuture.completedStage(audit.events.stream()
            .filter(entry -> entry.run().equals(run) && entry.seq() >= fromSeq)
            .map(entry -> new RecordedEvent(
                    run,
                    entry.seq(),
                    EventCodec.standard().decode(entry.entry()),
                    entry.entry().previousHash(),
                    entry.entry().hash()))
            .toList());

    private static WebhookGuard guard() {
        return WebhookGuard.of(
                ConfigFactory.parseResources("reference.conf").getConfig("vivarium.egress"),
                ConfigFactory.parseString("allow-internal = [\"127.0.0.1/32\"]"));
    }

    private static SSLContext trust() {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException missing) {
            throw new AssertionError(missing);
        }
    }

    private List<Long> delivered() {
        return join(store.of(RUN)).stream()
                .filter(delivery -> delivery.progress().state() == State.DELIVERED)
                .map(delivery -> delivery.message().seq())
                .toList();
    }

    private JsonNode body(String type) throws Exception {
        for (Receiver.Received received : receiver.received) {
            JsonNode body = JournalJson.MAPPER.readTree(received.body());
            if (body.path("type").asText().equals(type)) {
                return body;
            }
        }
        throw new AssertionError("no " + type + " among " + receiver.received);
    }

    private void happen(RunId run, RunEvent... events) {
        synchronized (audit.events) {
            for (RunEvent event : events) {
                List<AuditEntry> before = audit.events.stream()
                        .filter(entry -> entry.run().equals(run))
                        .toList();
                JournalEntry entry = EventCodec.standard()
                        .encode(
                                event,
                                before.isEmpty()
                                        ? EventCodec.genesis(run)
                                        : before.get(before.size() - 1).entry().hash());
                audit.events.add(new AuditEntry(
                        audit.events.size(),
                        event.at(),
                        run,
                        before.size() + 1L,
                        entry.type(),
                        event.node(),
                        TENANT.name(),
                        "vivarium/python",
                        Optional.empty(),
                        Optional.empty(),
                        Map.of("team", "research"),
                        entry));
            }
            audit.head = new AuditHead(audit.events.size(), 0);
        }
    }

    private RunEvent submitted(RunId run, List<WebhookEvent> events) {
        return submitted(run, receiver.url("/runs"), events);
    }

    private static RunEvent submitted(RunId run, String url, List<WebhookEvent> events) {
        return submitted(run, Specs.calling(new Webhook(url, events)));
    }

    private static RunEvent withoutWebhook() {
        return submitted(OTHER, Specs.hello());
    }

    private static RunEvent submitted(RunId run, RunSpec spec) {
        return new RunEvent.RunSubmitted(
                NOON, "node-1", Principal.LOCAL_OPERATOR, run, spec, Digest.of(Blob.EMPTY), Optional.empty());
    }

    private static RunEvent starting() {
        return new RunEvent.AttemptStarting(NOON, "node-1", 1);
    }

    private static RunEvent started(int attempt) {
        return new RunEvent.AttemptStarted(NOON, "node-1", attempt, "sandbox", Optional.empty());
    }

    private static RunEvent alarm(KillReason reason) {
        return new RunEvent.AlarmRaised(
                NOON, "node-1", 1, reason, Measurement.millis(801, 1000), RunEvent.Consequence.NOTED);
    }

    private static RunEvent killed() {
        return new RunEvent.RunKilled(
                NOON, "node-1", 1, KillReason.WALL_CLOCK, Optional.of(Measurement.millis(1001, 1000)), Usage.NONE);
    }

    private static void hold(CountDownLatch end) throws IOException {
        try {
            end.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            throw new IOException(stopped);
        }
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
