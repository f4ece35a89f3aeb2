package dev.vivarium.node.webhook;

import dev.vivarium.node.webhook.DeliveryQueue.Name;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.persistence.store.WebhookStore.Delivery;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.Queued;
import dev.vivarium.persistence.store.WebhookStore.State;
import dev.vivarium.protocol.access.WebhookKey;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Sends what webhooks are called for: a singleton of the cluster. It searches the order of all events, and queues in the store
 * what it finds together with how far it has searched; so an event that is in the journal is found, whichever node dies when. It
 * sends what is due, within the bounds of {@link DeliveryQueue}, and notes in the store what came of it. A message whose
 * note was lost with its node is sent again by the next one, under the same name.
 *
 * <p>Owns nothing but messages under way, which are given up with it. It holds names only; messages are read from the store when
 * they are due.
 */
final class Delivering extends AbstractBehavior<Delivering.Command> {
    private static final Duration STORE_AWAY = Duration.ofSeconds(1);
    private static final Duration FORGET = Duration.ofHours(1);
    /** The shortest time between two looks for what is due, however often messages end. */
    private static final Duration SEND = Duration.ofMillis(100);

    private final Parts parts;
    private final TimerScheduler<Command> timers;
    private final DeliveryQueue queue;
    private long searched;
    /** What {@link #searched} is in the store, which need not know of all that nothing was found in. */
    private long stored;

    /** How many positions nothing is found in before the store is told. */
    private static final long UNSTORED_MAX = 10_000;

    /** What it works with. */
    record Parts(
            WebhookStore store,
            TenantStore tenants,
            WebhookSeal seal,
            WebhookSearch search,
            Sender sender,
            WebhookSettings settings,
            WebhookMetrics metrics,
            Clock clock,
            RandomGenerator random) {}

    /** Its commands. */
    sealed interface Command {}

    /**
     * Somebody asks for a message to be sent again, whatever has become of it.
     *
     * @param replyTo gets a {@link Repeated}
     */
    record Repeat(RunId run, long seq, ActorRef<Repeated> replyTo) implements Command, WebhookMessage {}

    /** The answer to {@link Repeat}. */
    record Repeated(Answer answer, String sentence) implements WebhookMessage {
        enum Answer {
            QUEUED,
            UNKNOWN,
            FULL,
            STORE_AWAY
        }
    }

    /** The singleton moves to another node. */
    record HandOver() implements Command, WebhookMessage {}

    private enum Tick implements Command {
        LOAD,
        SEARCH,
        SEND,
        FORGET
    }

    private record Loaded(long searched, List<Delivery> pending) implements Command {}

    private record Searched(WebhookSearch.Result found) implements Command {}

    private record QueuedAll(List<Delivery> all, WebhookSearch.Result found, Queued queued) implements Command {}

    private record SearchFailed(Throwable why) implements Command {}

    private record LoadFailed(Throwable why) implements Command {}

    private record Read(Name name, Optional<Delivery> delivery) implements Command {}

    private record ReadFailed(Name name) implements Command {}

    private record Sent(Delivery delivery, SendResult result) implements Command {}

    private record Save(Delivery delivery) implements Command {}

    private record Saved(Delivery delivery) implements Command {}

    private record SaveFailed(Delivery delivery) implements Command {}

    private record ToRepeat(Repeat asked, Optional<Delivery> found) implements Command {}

    private record RepeatStored(Repeat asked, Delivery again) implements Command {}

    private record Ignored() implements Command {}

    /** The behaviour of the singleton. */
    static Behavior<Command> create(Parts parts) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new Delivering(context, timers, parts)));
    }

    private Delivering(ActorContext<Command> context, TimerScheduler<Command> timers, Parts parts) {
        super(context);
        this.parts = parts;
        this.timers = timers;
        this.queue = new DeliveryQueue(parts.settings());
        context.getSelf().tell(Tick.LOAD);
        timers.startTimerWithFixedDelay(Tick.FORGET, Tick.FORGET, FORGET);
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessageEquals(Tick.LOAD, this::load)
                .onMessage(Loaded.class, this::loaded)
                .onMessage(LoadFailed.class, failed -> waitForStore(failed.why(), Tick.LOAD))
                .onMessageEquals(Tick.SEARCH, this::search)
                .onMessage(Searched.class, this::found)
                .onMessage(QueuedAll.class, this::queued)
                .onMessage(SearchFailed.class, failed -> waitForStore(failed.why(), Tick.SEARCH))
                .onMessageEquals(Tick.SEND, this::send)
                .onMessage(Read.class, this::read)
                .onMessage(ReadFailed.class, this::readFailed)
                .onMessage(Sent.class, this::sent)
                .onMessage(Save.class, save -> save(save.delivery()))
                .onMessage(Saved.class, this::saved)
                .onMessage(SaveFailed.class, this::saveLater)
                .onMessage(Repeat.class, this::repeat)
                .onMessage(ToRepeat.class, this::repeat)
                .onMessage(RepeatStored.class, this::repeated)
                .onMessageEquals(Tick.FORGET, this::forget)
                .onMessage(Ignored.class, ignored -> this)
                .onMessage(HandOver.class, handOver -> Behaviors.stopped())
                .onSignal(PostStop.class, stopped -> {
                    parts.metrics().pending(0);
                    return this;
                })
                .build();
    }

    // ---- begin

    private Behavior<Command> load() {
        Instant since = now().minus(parts.settings().giveUpAfter()).minus(Duration.ofHours(1));
        CompletionStage<Loaded> loading = parts.store().searched().thenCompose(position -> parts.store()
                .pending(since, parts.settings().pendingMax())
                .thenApply(pending -> new Loaded(position, pending)));
        getContext().pipeToSelf(loading, (all, failure) -> failure == null ? all : new LoadFailed(failure));
        return this;
    }

    private Behavior<Command> loaded(Loaded found) {
        searched = found.searched();
        stored = found.searched();
        found.pending().forEach(this::add);
        if (!found.pending().isEmpty()) {
            getContext()
                    .getLog()
                    .info(
                            "{} messages to webhooks are pending.",
                            found.pending().size());
        }
        getContext().getSelf().tell(Tick.SEARCH);
        return send();
    }

    private void add(Delivery delivery) {
        Message message = delivery.message();
        queue.add(
                name(message),
                message.tenant(),
                endpoint(message),
                delivery.progress().nextAt());
        parts.metrics().pending(queue.size());
    }

    private static Name name(Message message) {
        return new Name(message.run(), message.seq());
    }

    private static String endpoint(Message message) {
        try {
            return WebhookUrl.parse(message.url()).endpoint();
        } catch (IllegalArgumentException notOfThisVersion) {
            return message.url();
        }
    }

    private Behavior<Command> waitForStore(Throwable failed, Tick next) {
        getContext()
                .getLog()
                .debug(
                        "Webhooks wait for the store: {}",
                        String.valueOf(StageFailure.cause(failed).getMessage()));
        timers.startSingleTimer(next, next, STORE_AWAY);
        return this;
    }

    // ---- search

    private Behavior<Command> search() {
        getContext()
                .pipeToSelf(
                        parts.search().from(searched),
                        (found, failure) -> failure == null ? new Searched(found) : new SearchFailed(failure));
        return this;
    }

    private Behavior<Command> found(Searched result) {
        WebhookSearch.Result found = result.found();
        if (found.messages().isEmpty() && found.to() - stored < UNSTORED_MAX) {
            searched = found.to();
            return searchOn(found);
        }
        List<Delivery> all = deliveries(found.messages());
        getContext()
                .pipeToSelf(
                        parts.store().queue(all, stored, found.to()),
                        (queued, failure) ->
                                failure == null ? new QueuedAll(all, found, queued) : new SearchFailed(failure));
        return this;
    }

    /** What there is no room for is listed as given up, and may be repeated. */
    private List<Delivery> deliveries(List<Message> messages) {
        Map<Tenant, Integer> fresh = new HashMap<>();
        List<Delivery> all = new ArrayList<>();
        for (Message message : messages) {
            Optional<String> full = queue.full(message.tenant(), fresh.getOrDefault(message.tenant(), 0));
            fresh.merge(message.tenant(), full.isPresent() ? 0 : 1, Integer::sum);
            State state = full.isPresent() ? State.GIVEN_UP : State.PENDING;
            all.add(new Delivery(message, new Progress(state, 0, now(), now(), Optional.empty(), full)));
        }
        return all;
    }

    private Behavior<Command> queued(QueuedAll done) {
        if (done.queued() == Queued.SEARCHED_MEANWHILE) {
            // Another node does the same, as in a split: begin from what it has stored.
            return load();
        }
        searched = done.found().to();
        stored = done.found().to();
        done.all().stream()
                .filter(delivery -> delivery.progress().state() == State.PENDING)
                .forEach(this::add);
        send();
        return searchOn(done.found());
    }

    private Behavior<Command> searchOn(WebhookSearch.Result found) {
        if (found.more() == WebhookSearch.Result.More.SOME) {
            getContext().getSelf().tell(Tick.SEARCH);
        } else {
            timers.startSingleTimer(Tick.SEARCH, Tick.SEARCH, parts.settings().look());
        }
        return this;
    }

    // ---- send

    private Behavior<Command> send() {
        for (Name name : queue.take(now())) {
            getContext()
                    .pipeToSelf(
                            parts.store().find(name.run(), name.seq()),
                            (found, failure) -> failure == null ? new Read(name, found) : new ReadFailed(name));
        }
        timers.startSingleTimer(Tick.SEND, Tick.SEND, SEND);
        return this;
    }

    private Behavior<Command> read(Read read) {
        Optional<Delivery> pending =
                read.delivery().filter(delivery -> delivery.progress().state() == State.PENDING);
        if (pending.isEmpty()) {
            queue.done(read.name());
            return this;
        }
        Delivery delivery = pending.get();
        Message message = delivery.message();
        CompletionStage<SendResult> sending = parts.tenants()
                .find(message.tenant())
                .thenCompose(tenant -> parts.sender()
                        .send(
                                WebhookMessages.id(message),
                                message,
                                tenant.map(found -> secrets(
                                                message.tenant(),
                                                found.settings().webhooks().keys()))
                                        .orElse(List.of())));
        getContext()
                .pipeToSelf(
                        sending,
                        (result, failure) ->
                                failure == null ? new Sent(delivery, result) : new ReadFailed(read.name()));
        return this;
    }

    private List<WebhookSeal.Secret> secrets(Tenant tenant, List<WebhookKey> keys) {
        return keys.stream()
                .filter(key -> key.signsAt(now()))
                .flatMap(key -> parts.seal().secret(tenant, key).stream())
                .toList();
    }

    private Behavior<Command> readFailed(ReadFailed failed) {
        queue.again(failed.name(), now().plus(STORE_AWAY));
        return this;
    }

    private Behavior<Command> sent(Sent sent) {
        parts.metrics().sent(sent.result());
        Progress next = parts.settings()
                .after(
                        sent.delivery().progress(),
                        sent.result(),
                        now(),
                        parts.random().nextDouble());
        return save(sent.delivery().with(next));
    }

    /** A message stays in flight until what came of it is durable, so a store that is away slows sending down. */
    private Behavior<Command> save(Delivery delivery) {
        getContext()
                .pipeToSelf(
                        parts.store().update(delivery),
                        (saved, failure) -> failure == null ? new Saved(delivery) : new SaveFailed(delivery));
        return this;
    }

    private Behavior<Command> saveLater(SaveFailed failed) {
        timers.startSingleTimer(name(failed.delivery().message()), new Save(failed.delivery()), STORE_AWAY);
        return this;
    }

    private Behavior<Command> saved(Saved saved) {
        Name name = name(saved.delivery().message());
        Progress progress = saved.delivery().progress();
        if (progress.state() == State.PENDING) {
            queue.again(name, progress.nextAt());
        } else {
            queue.done(name);
        }
        parts.metrics().pending(queue.size());
        return this;
    }

    // ---- repeat

    private Behavior<Command> repeat(Repeat asked) {
        getContext()
                .pipeToSelf(
                        parts.store().find(asked.run(), asked.seq()),
                        (found, failure) ->
                                failure == null ? new ToRepeat(asked, found) : answered(asked, storeAway(failure)));
        return this;
    }

    private static Command answered(Repeat asked, Repeated answer) {
        asked.replyTo().tell(answer);
        return new Ignored();
    }

    private static Repeated storeAway(Throwable failure) {
        return new Repeated(
                Repeated.Answer.STORE_AWAY,
                String.valueOf(StageFailure.cause(failure).getMessage()));
    }

    private Behavior<Command> repeat(ToRepeat asked) {
        if (asked.found().isEmpty()) {
            asked.asked().replyTo().tell(new Repeated(Repeated.Answer.UNKNOWN, ""));
            return this;
        }
        Delivery before = asked.found().get();
        if (queue.contains(name(before.message()))) {
            // It is sent already, or waits for its turn.
            asked.asked().replyTo().tell(new Repeated(Repeated.Answer.QUEUED, ""));
            return this;
        }
        Optional<String> full = queue.full(before.message().tenant(), 0);
        if (full.isPresent()) {
            asked.asked().replyTo().tell(new Repeated(Repeated.Answer.FULL, full.get()));
            return this;
        }
        Delivery again = before.with(new Progress(
                State.PENDING,
                0,
                now(),
                now(),
                before.progress().triedAt(),
                before.progress().answer()));
        getContext()
                .pipeToSelf(
                        parts.store().update(again),
                        (stored, failure) -> failure == null
                                ? new RepeatStored(asked.asked(), again)
                                : answered(asked.asked(), storeAway(failure)));
        return this;
    }

    private Behavior<Command> repeated(RepeatStored done) {
        add(done.again());
        done.asked().replyTo().tell(new Repeated(Repeated.Answer.QUEUED, ""));
        return send();
    }

    private Behavior<Command> forget() {
        getContext()
                .pipeToSelf(
                        parts.store().forget(now().minus(WebhookStore.KEPT)),
                        (Done done, Throwable failure) -> new Ignored());
        return this;
    }

    /** In the precision that stores keep. */
    private Instant now() {
        return parts.clock().instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
