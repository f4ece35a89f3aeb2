package dev.vivarium.node.http.v1;

import dev.vivarium.node.admission.NearestName;
import dev.vivarium.node.http.server.Answers;
import dev.vivarium.node.http.server.ProblemType;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Reads the parameters of a query and collects all errors, unknown parameters included. */
final class QueryReader {
    private final Map<String, List<String>> values = new LinkedHashMap<>();
    private final List<FieldError> errors = new ArrayList<>();

    QueryReader(HttpRequest request, Set<String> known) {
        request.getUri().query().toList().forEach(pair -> values.computeIfAbsent(pair.first(), any -> new ArrayList<>())
                .add(pair.second()));
        for (String name : values.keySet()) {
            if (!known.contains(name)) {
                String hint = NearestName.to(name, known)
                        .map(near -> "; did you mean '" + near + "'?")
                        .orElse("");
                errors.add(new FieldError(name, "unknown parameter" + hint));
            }
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    /** A parameter that may occur once. */
    Optional<String> text(String name) {
        List<String> given = values.getOrDefault(name, List.of());
        if (given.size() > 1) {
            errors.add(new FieldError(name, "must be given once"));
        }
        return given.stream().findFirst();
    }

    /** A whole number within bounds, both included. */
    long number(String name, long fallback, long min, long max) {
        return text(name)
                .flatMap(text -> parsed(name, text, Long::parseLong, "must be a whole number")
                        .flatMap(number -> {
                            if (number < min || number > max) {
                                String bounds = max == Long.MAX_VALUE ? min + " or more" : "from " + min + " to " + max;
                                errors.add(new FieldError(name, "must be " + bounds));
                                return Optional.<Long>empty();
                            }
                            return Optional.of(number);
                        }))
                .orElse(fallback);
    }

    /** A time in the notation of limits, of a millisecond or more. */
    Optional<Duration> time(String name, Duration max) {
        String most = new TimeSpan(max).toString();
        return text(name)
                .flatMap(text -> parsed(name, text, TimeSpan::parse, "must be a time such as 30s, 5m or 250ms"))
                .map(TimeSpan::duration)
                .filter(time -> {
                    boolean fits = !time.isZero() && time.compareTo(max) <= 0;
                    if (!fits) {
                        errors.add(new FieldError(name, "must be from 1ms to " + most));
                    }
                    return fits;
                });
    }

    /** An error that this reader cannot see by itself. */
    void refuse(String name, String mistake) {
        errors.add(new FieldError(name, mistake));
    }

    /** One of a set of words. */
    <T> Optional<T> word(String name, Map<String, T> words) {
        return text(name).flatMap(text -> meaning(name, text, words));
    }

    /** Any of a set of words; repeated, comma-separated, or both. */
    <T> Set<T> words(String name, Map<String, T> words) {
        Set<T> meanings = new LinkedHashSet<>();
        values.getOrDefault(name, List.of()).stream()
                .flatMap(list -> Arrays.stream(list.split(",", -1)))
                .forEach(text -> meaning(name, text, words).ifPresent(meanings::add));
        return meanings;
    }

    /** Any texts, one per parameter. */
    Set<String> texts(String name) {
        return new LinkedHashSet<>(values.getOrDefault(name, List.of()));
    }

    /** An instant. */
    Optional<Instant> instant(String name) {
        return text(name)
                .flatMap(text -> parsed(
                        name,
                        text,
                        time -> OffsetDateTime.parse(time).toInstant(),
                        "must be a time such as 2026-01-31T12:00:00Z (write the + of an offset as %2B)"));
    }

    /** Pairs {@code key=value}, one per parameter. */
    Map<String, String> pairs(String name) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String pair : values.getOrDefault(name, List.of())) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                errors.add(new FieldError(name, "must have the form key=value"));
            } else {
                add(name, pairs, pair.substring(0, equals), pair.substring(equals + 1));
            }
        }
        return pairs;
    }

    /** Adds a pair, unless it contradicts an existing one. */
    void add(String name, Map<String, String> pairs, String key, String value) {
        String other = pairs.putIfAbsent(key, value);
        if (other != null && !other.equals(value)) {
            errors.add(new FieldError(name, "asks for two values of the label '" + key + "', and no run has both"));
        }
    }

    /** The tenant that the caller acts for, in the parameter {@code tenant}. */
    Optional<Tenant> tenant() {
        return text("tenant")
                .flatMap(name -> parsed(
                        "tenant",
                        name,
                        Tenant::new,
                        "must be 1 to " + Tenant.NAME_MAX + " characters, none of them a control character"));
    }

    /** A text with a parser. */
    <T> Optional<T> parsed(String name, String text, Function<String, T> parse, String mistake) {
        try {
            return Optional.of(parse.apply(text));
        } catch (RuntimeException unparsable) {
            errors.add(new FieldError(name, mistake));
            return Optional.empty();
        }
    }

    /** The answer to an invalid query; empty when there are no errors. Call last. */
    Optional<HttpResponse> refusal() {
        return errors.isEmpty()
                ? Optional.empty()
                : Optional.of(Answers.problem(
                        ProblemType.INVALID_QUERY, "Correct the parameters that are named in errors.", errors));
    }

    private <T> Optional<T> meaning(String name, String text, Map<String, T> words) {
        T meaning = words.get(text);
        if (meaning == null) {
            errors.add(new FieldError(
                    name,
                    "must be one of "
                            + String.join(", ", words.keySet().stream().sorted().toList())));
        }
        return Optional.ofNullable(meaning);
    }
}
