package dev.vivarium.node.http.v1;

import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditFilter.Field;
import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads which events of all runs are asked for, and narrows it to what exists for the caller. */
final class AuditFilterReader {
    /** The parameters that it reads. */
    static final Set<String> NAMES =
            Set.of("tenant", "run", "label", "node", "type", "reason", "by", "image", "since", "until");

    /** Values of one field, and labels. */
    private static final int VALUES_MAX = 50;

    private static final Map<String, String> REASONS = Arrays.stream(KillReason.values())
            .map(Enum::name)
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Function.identity()));
    private static final Map<String, String> TYPES = Stream.concat(
                    EventCodec.types().stream(), ActCodec.types().stream())
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Function.identity()));

    private AuditFilterReader() {}

    /** The parameters of an operation that has these and some of its own. */
    static Set<String> with(String... own) {
        return Stream.concat(NAMES.stream(), Stream.of(own)).collect(Collectors.toUnmodifiableSet());
    }

    static AuditFilter read(QueryReader reader, Identity caller) {
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

    static void refuseForeign(QueryReader reader, Identity caller, String name) {
        caller.onlyTenant()
                .filter(own -> !own.name().equals(name))
                .ifPresent(own -> reader.refuse(
                        "tenant", "must be left out, or be " + own.name() + ", the tenant of your token"));
    }

    private static Set<RunId> runs(QueryReader reader) {
        return few(reader, "run", reader.texts("run")).stream()
                .flatMap(
                        text -> reader
                                .parsed("run", text, RunId::new, "must be the id of a run, or of an act: 26 characters")
                                .stream())
                .collect(Collectors.toSet());
    }

    private static Set<String> few(QueryReader reader, String name, Set<String> values) {
        if (values.size() > VALUES_MAX) {
            reader.refuse(name, "at most " + VALUES_MAX + " values may be asked for");
        }
        return values;
    }
}
