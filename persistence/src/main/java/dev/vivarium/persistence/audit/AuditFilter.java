package dev.vivarium.persistence.audit;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which events are asked for: those that have one of the values of each field that has any, all labels, and a time in
 * the range.
 *
 * @param runs events of these runs
 * @param labels events of runs with all of these
 * @param words fields that are words, with the values asked for
 * @param since happened at or after
 * @param until happened before
 */
public record AuditFilter(
        SortedSet<String> runs,
        SortedMap<String, String> labels,
        SortedMap<Field, SortedSet<String>> words,
        Optional<Instant> since,
        Optional<Instant> until) {
    /** Everything. */
    public static final AuditFilter ALL =
            new AuditFilter(new TreeSet<>(), new TreeMap<>(), new TreeMap<>(), Optional.empty(), Optional.empty());

    /** Fields of events that are words. */
    public enum Field {
        TENANT,
        TYPE,
        NODE,
        REASON,
        BY,
        IMAGE
    }

    /** The same with one of these runs. */
    public AuditFilter withRuns(Set<RunId> any) {
        SortedSet<String> ids = new TreeSet<>();
        any.forEach(run -> ids.add(run.value()));
        return new AuditFilter(ids, labels, words, since, until);
    }

    /** The same with all of these labels. */
    public AuditFilter withLabels(Map<String, String> all) {
        return new AuditFilter(runs, new TreeMap<>(StorableText.of(all)), words, since, until);
    }

    /** The same with one of these values of a field; no values ask for nothing. */
    public AuditFilter with(Field field, Set<String> any) {
        SortedMap<Field, SortedSet<String>> more = new TreeMap<>(words);
        if (!any.isEmpty()) {
            SortedSet<String> values = new TreeSet<>();
            any.forEach(value -> values.add(StorableText.of(value)));
            more.put(field, values);
        }
        return new AuditFilter(runs, labels, more, since, until);
    }

    /** The same within a time, in microseconds, which is what stores keep of the times of events. */
    public AuditFilter within(Optional<Instant> from, Optional<Instant> to) {
        return new AuditFilter(runs, labels, words, from.map(AuditFilter::micros), to.map(AuditFilter::micros));
    }

    private static Instant micros(Instant time) {
        return time.truncatedTo(ChronoUnit.MICROS);
    }

    /** Whether an event is asked for. */
    public boolean matches(AuditEntry entry) {
        return (runs.isEmpty() || runs.contains(entry.run().value()))
                && entry.labels().entrySet().containsAll(labels.entrySet())
                && words.entrySet().stream().allMatch(word -> word.getValue().contains(value(entry, word.getKey())))
                && since.map(time -> !entry.at().isBefore(time)).orElse(true)
                && until.map(time -> entry.at().isBefore(time)).orElse(true);
    }

    /** The conditions by name, as the API's parameters name them; none for a filter that lets everything pass. */
    public Map<String, List<String>> conditions() {
        Map<String, List<String>> conditions = new TreeMap<>();
        put(conditions, "run", runs);
        put(
                conditions,
                "label",
                labels.entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .toList());
        words.forEach((field, any) -> put(conditions, field.name().toLowerCase(Locale.ROOT), any));
        put(conditions, "since", since.map(Instant::toString).stream().toList());
        put(conditions, "until", until.map(Instant::toString).stream().toList());
        return conditions;
    }

    private static void put(Map<String, List<String>> conditions, String name, Collection<String> values) {
        if (!values.isEmpty()) {
            conditions.put(name, List.copyOf(values));
        }
    }

    /** The value of an event's field; empty when it has none. */
    public static String value(AuditEntry entry, Field field) {
        return switch (field) {
            case TENANT -> entry.tenant();
            case TYPE -> entry.type();
            case NODE -> entry.node();
            case REASON -> entry.reason().orElse("");
            case BY -> entry.by().orElse("");
            case IMAGE -> entry.image();
        };
    }
}
