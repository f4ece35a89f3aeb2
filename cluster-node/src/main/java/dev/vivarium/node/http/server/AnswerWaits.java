package dev.vivarium.node.http.server;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.protocol.access.Identity;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;

/**
 * Which answers wait, and for how long: those to a caller that goes on when it was refused, and those to strangers, who share
 * one budget. A connection takes no further request while its answer waits, so a flood is no faster than its answers, and a
 * waiting answer holds no thread. All other answers leave at once. Thread-safe.
 */
final class AnswerWaits {
    private static final AttributeKey<Duration> WAIT = AttributeKey.create("wait", Duration.class);

    /** Beyond so many callers at a time, some are forgotten early, and answered as if they had not been refused before. */
    private static final int KEPT_MAX = 10_000;
    /** A supervisor gives up after a second. */
    private static final Duration HEALTH_WAIT_MAX = Duration.ofMillis(200);

    private final Pace refusals;
    private final Pace strangers;
    private final Pace documents;
    private final Pace health;
    private final LongSupplier nanos;
    private final Counter waiting;
    private final Cache<Kind, AtomicLong> due;

    /** Answers that have one pace together. */
    private sealed interface Kind {
        /** Refusals of one caller. */
        record Refused(KnownCaller caller) implements Kind {}

        /** To those that no operation was found for, or that did not pass the gate. */
        record Stranger() implements Kind {}

        /** Of an operation that everyone may use. */
        record Document(String path) implements Kind {}

        record Health() implements Kind {}
    }

    /**
     * @param nanos a clock that never jumps
     * @param metrics where answers that wait are counted
     */
    AnswerWaits(HttpSettings.Paces settings, LongSupplier nanos, MeterRegistry metrics) {
        this.refusals = new Pace(settings.refusalsOfOne(), settings.waitMax());
        this.strangers = new Pace(settings.strangers(), settings.waitMax());
        this.documents = new Pace(settings.documents(), settings.waitMax());
        this.health = new Pace(settings.health(), HEALTH_WAIT_MAX);
        this.nanos = nanos;
        this.waiting = Counter.builder("vivarium.http.responses.paced")
                .description(
                        "Answers that waited, since their caller had been refused often or strangers asked for many")
                .register(metrics);
        this.due = Caffeine.newBuilder()
                .maximumSize(KEPT_MAX)
                // All that is due is over by then.
                .expireAfterAccess(settings.waitMax().plusSeconds(2))
                .build();
    }

    /** The answer to a known caller, which waits when it is one more refusal for asking too much. */
    HttpResponse toCaller(HttpResponse answer, Identity caller) {
        return answer.status().equals(StatusCodes.TOO_MANY_REQUESTS)
                ? in(refusals, new Kind.Refused(KnownCaller.of(caller)), answer)
                : at(Duration.ZERO, answer);
    }

    /** The answer of an operation that everyone may use. */
    HttpResponse toEveryone(HttpResponse answer, Operation operation) {
        return HealthEndpoint.isOf(operation)
                ? in(health, new Kind.Health(), answer)
                : in(documents, new Kind.Document(operation.path().toString()), answer);
    }

    /** Any other answer; one that has its time keeps it. */
    HttpResponse toStranger(HttpResponse answer) {
        return answer.getAttribute(WAIT).isPresent() ? answer : in(strangers, new Kind.Stranger(), answer);
    }

    /** How long an answer waits before it leaves. */
    static Duration of(HttpResponse answer) {
        return answer.getAttribute(WAIT).orElse(Duration.ZERO);
    }

    private HttpResponse in(Pace pace, Kind kind, HttpResponse answer) {
        long now = nanos.getAsLong();
        AtomicLong last = due.get(kind, first -> new AtomicLong(now));
        long before = last.get();
        Pace.Turn turn = pace.next(before, now);
        while (!last.compareAndSet(before, turn.due())) {
            before = last.get();
            turn = pace.next(before, now);
        }
        if (!turn.waits().isZero()) {
            waiting.increment();
        }
        return at(turn.waits(), answer);
    }

    private static HttpResponse at(Duration wait, HttpResponse answer) {
        return answer.addAttribute(WAIT, wait);
    }
}
