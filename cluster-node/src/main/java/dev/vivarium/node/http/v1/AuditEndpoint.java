package dev.vivarium.node.http.v1;

import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.Exchange;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.audit.AuditOrder;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditQuery;
import dev.vivarium.persistence.audit.Tally.Measure;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.AuditHead;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
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
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/**
 * Finds and counts events of all runs: for an operator those of all tenants, for others those of their tenant's runs, with
 * the labels of their scope.
 */
final class AuditEndpoint {
    private static final int PAGE = 100;
    /** Values of one field, and labels. */
    private static final int VALUES_MAX = 50;

    private static final Duration LOOK = Duration.ofMillis(100);
    /** An answer should leave before the request's own deadline. */
    private static final Duration BEFORE_DEADLINE = Duration.ofSeconds(2);

    private static final Duration HOURS_MAX = Duration.ofDays(31);
    private static final Duration DAYS_MAX = Duration.ofDays(366);

    private static final Map<String, AuditOrder> ORDERS =
            Map.of("newest", AuditOrder.NEWEST, "oldest", AuditOrder.OLDEST);
    private static final Map<String, Measure> MEASURES =
            Arrays.stream(Measure.values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));
    private static final Map<String, String> REASONS = Arrays.stream(KillReason.values())
            .map(Enum::name)
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Function.identity()));
    private static final Map<String, String> TYPES = types(RunEvent.class)
            .map(Class::getSimpleName)
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Function.identity()));

    private final AuditQueries audit;
    private final Duration retryAfter;
    private final Clock clock;

    AuditEndpoint(AuditQueries audit, Duration retryAfter, Clock clock) {
        this.audit = audit;
        this.retryAfter = retryAfter;
        this.clock = clock;
    }

    private static Stream<Class<?>> types(Class<?> type) {
        return type.isRecord()
                ? Stream.of(type)
                : Arrays.stream(type.getPermittedSubclasses()).flatMap(AuditEndpoint::types);
    }

    CompletionStage<HttpResponse> events(Exchange exchange) {
        QueryReader reader = new QueryReader(
                exchange.request(),
                Set.of(
                        "tenant", "run", "label", "node", "type", "reason", "by", "image", "since", "until", "order",
                        "cursor", "limit", "after"));
        AuditFilter filter = filter(reader, exchange.caller());
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

    private static AuditFilter filter(QueryReader reader, Identity caller) {
        Optional<Instant> since = reader.instant("since");
        Optional<Instant> until = reader.instant("until");
        if (since.isPresent() && until.isPresent() && !since.get().isBefore(until.get())) {
            reader.refuse("until", "must be later than since");
        }
        Map<String, String> labels = reader.pairs("label");
        if (labels.size() > VALUES_MAX) {
            reader.refuse("label", "at most " + VALUES_MAX + " may be asked for");
        }
        caller.scope().labels().forEach((key, value) -> reader.add("label", labels, key, value));
        return AuditFilter.ALL
                .withRuns(runs(reader))
                .withLabels(labels)
                .with(Field.TENANT, tenants(reader, caller))
                .with(Field.NODE, few(reader, "node", reader.texts("node")))
                .with(Field.TYPE, reader.words("type", TYPES))
                .with(Field.REASON, reader.words("reason", REASONS))
                .with(Field.BY, few(reader, "by", reader.texts("by")))
                .with(Field.IMAGE, few(reader, "image", reader.texts("image")))
                .within(since, until);
    }

    /** Those that are asked for; of a caller of one tenant always this one, since no tenants would be all of them. */
    private static Set<String> tenants(QueryReader reader, Identity caller) {
        Set<String> asked = few(reader, "tenant", reader.texts("tenant"));
        asked.forEach(name -> refuseForeign(reader, caller, name));
        return caller.onlyTenant().map(own -> Set.of(own.name())).orElse(asked);
    }

    private static void refuseForeign(QueryReader reader, Identity caller, String name) {
        caller.onlyTenant()
                .filter(own -> !own.name().equals(name))
                .ifPresent(own -> reader.refuse(
                        "tenant", "must be left out, or be " + own.name() + ", the tenant of your token"));
    }

    private static Set<RunId> runs(QueryReader reader) {
        return few(reader, "run", reader.texts("run")).stream()
                .flatMap(text ->
                        reader.parsed("run", text, RunId::new, "must be the id of a run: 26 characters").stream())
                .collect(Collectors.toSet());
    }

    private static Set<String> few(QueryReader reader, String name, Set<String> values) {
        if (values.size() > VALUES_MAX) {
            reader.refuse(name, "at most " + VALUES_MAX + " values may be asked for");
        }
        return values;
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
            if (clock.instant().plus(BEFORE_DEADLINE).isAfter(deadline)) {
                return CompletableFuture.completedStage(notThere(position, head));
            }
            return CompletableFuture.supplyAsync(
                            () -> onceThere(position, deadline, answer),
                            CompletableFuture.delayedExecutor(LOOK.toMillis(), TimeUnit.MILLISECONDS))
                    .thenCompose(Function.identity());
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
        asked.ifPresent(name -> refuseForeign(reader, caller, name));
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
