package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Acceptable;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.persistence.audit.Tally.Measure;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaType;

/**
 * Finds and counts events of all runs: for an operator those of all tenants, for others those of their tenant's runs, with
 * the labels of their scope.
 */
final class AuditEndpoint {
    private static final List<MediaType> OFFERS =
            List.of(ContentTypes.APPLICATION_JSON.mediaType(), AuditTail.EVENT_STREAM.mediaType());
    private static final int PAGE = 100;
    /** An answer should leave before the request's own deadline. */
    private static final Duration BEFORE_DEADLINE = Duration.ofSeconds(2);

    private static final Duration HOURS_MAX = Duration.ofDays(31);
    private static final Duration DAYS_MAX = Duration.ofDays(366);

    private static final Map<String, AuditOrder> ORDERS =
            Map.of("newest", AuditOrder.NEWEST, "oldest", AuditOrder.OLDEST);
    private static final Map<String, Measure> MEASURES =
            Arrays.stream(Measure.values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));
    private final AuditQueries audit;
    private final AuditWatches watches;
    private final AuditTail tail;
    private final Duration retryAfter;
    private final Clock clock;

    AuditEndpoint(AuditQueries audit, AuditWatches watches, AuditTail tail, Duration retryAfter, Clock clock) {
        this.audit = audit;
        this.watches = watches;
        this.tail = tail;
        this.retryAfter = retryAfter;
        this.clock = clock;
    }

    /** A page of events, or those that come from now on as server-sent events. */
    CompletionStage<HttpResponse> events(Exchange exchange) {
        return Acceptable.best(exchange.request(), OFFERS)
                .map(form -> form.equals(AuditTail.EVENT_STREAM.mediaType()) ? tail.answer(exchange) : page(exchange))
                .orElseGet(() -> CompletableFuture.completedStage(Acceptable.refusal(OFFERS)));
    }

    private CompletionStage<HttpResponse> page(Exchange exchange) {
        QueryReader reader =
                new QueryReader(exchange.request(), AuditFilterReader.with("order", "cursor", "limit", "after"));
        AuditFilter filter = AuditFilterReader.read(reader, exchange.caller());
        AuditQuery query = new AuditQuery(
                filter, reader.word("order", ORDERS).orElse(AuditOrder.NEWEST), reader.text("cursor"), (int)
                        reader.number("limit", PAGE, 1, AuditQuery.LIMIT_MAX));
        long after = reader.number("after", -1, 0, Long.MAX_VALUE);
        return reader.refusal()
                .<CompletionStage<HttpResponse>>map(CompletableFuture::completedStage)
                .orElseGet(() -> onceThere(after, exchange.deadline(), () -> audit.find(query)
                        .thenApply(page -> Answers.json(200, page))
                        .exceptionally(AuditEndpoint::badCursor)));
    }

    /** Answers once the position has an event, or says that it has none yet. */
    private CompletionStage<HttpResponse> onceThere(
            long position, Instant deadline, Supplier<CompletionStage<HttpResponse>> answer) {
        if (position < 0) {
            return answer.get();
        }
        return audit.head().thenCompose(head -> {
            if (head.size() > position) {
                return answer.get();
            }
            Duration left = Duration.between(clock.instant().plus(BEFORE_DEADLINE), deadline);
            return watches.order(now -> now.size() > position, left)
                    .thenCompose(there -> there.isPresent()
                            ? answer.get()
                            : CompletableFuture.completedStage(notThere(position, head)));
        });
    }

    private HttpResponse notThere(long position, AuditHead head) {
        return Answers.retryLater(
                ProblemType.TIMEOUT,
                "No event has position " + position + " yet: the order has " + head.size()
                        + " events. Ask again, or without 'after'.",
                retryAfter);
    }

    /** Only the log knows whether a cursor is its own. */
    private static HttpResponse badCursor(Throwable failure) {
        Throwable cause = StageFailure.cause(failure);
        if (cause instanceof AuditQuery.BadCursor bad) {
            return Answers.problem(
                    ProblemType.INVALID_QUERY,
                    String.valueOf(bad.getMessage()),
                    List.of(new FieldError("cursor", "must be the 'next' field of the page before")));
        }
        throw new CompletionException(cause);
    }

    CompletionStage<HttpResponse> counts(Exchange exchange) {
        if (!exchange.caller().scope().labels().isEmpty()) {
            return CompletableFuture.completedStage(Answers.problem(
                    ProblemType.FORBIDDEN,
                    "Totals are those of whole tenants, and your token is narrowed to runs with some labels: ask for"
                            + " events, or with another token."));
        }
        QueryReader reader = new QueryReader(exchange.request(), Set.of("measure", "tenant", "since", "until"));
        Optional<Measure> measure = reader.word("measure", MEASURES);
        if (!reader.has("measure")) {
            reader.refuse(
                    "measure",
                    "must be given: " + MEASURES.keySet().stream().sorted().collect(Collectors.joining(", ")));
        }
        Identity caller = exchange.caller();
        Optional<String> asked = reader.tenant().map(Tenant::name);
        asked.ifPresent(name -> AuditFilterReader.refuseForeign(reader, caller, name));
        Optional<String> tenant = caller.onlyTenant().map(Tenant::name).or(() -> asked);
        Duration longest =
                measure.map(Measure::period).orElse(ChronoUnit.DAYS) == ChronoUnit.HOURS ? HOURS_MAX : DAYS_MAX;
        Instant until = reader.instant("until").orElseGet(clock::instant);
        Instant since = reader.instant("since").orElseGet(() -> until.minus(Duration.ofDays(7)));
        if (!since.isBefore(until)) {
            reader.refuse("until", "must be later than since");
        } else if (Duration.between(since, until).compareTo(longest) > 0) {
            reader.refuse("since", "must be at most " + longest.toDays() + " days before until, for this measure");
        }
        Optional<HttpResponse> refusal = reader.refusal();
        if (refusal.isPresent() || measure.isEmpty()) {
            return CompletableFuture.completedStage(refusal.orElseThrow());
        }
        return audit.counts(
                        measure.get(), tenant, since.truncatedTo(measure.get().period()), until)
                .thenApply(counts -> counts.counts().size() > AuditQueries.COUNTS_MAX
                        ? Answers.problem(
                                ProblemType.INVALID_QUERY,
                                "There are more than " + AuditQueries.COUNTS_MAX
                                        + " totals: ask for a shorter time, or for one tenant.")
                        : Answers.json(200, counts));
    }
}
