package dev.vivarium.persistence.journal;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The names of the types of entries: those of the records below a sealed interface. */
final class EntryTypes {
    private EntryTypes() {}

    static Set<String> below(Class<?> sealed) {
        return records(sealed).map(Class::getSimpleName).collect(Collectors.toUnmodifiableSet());
    }

    private static Stream<Class<?>> records(Class<?> type) {
        return type.isRecord()
                ? Stream.of(type)
                : Arrays.stream(type.getPermittedSubclasses()).flatMap(EntryTypes::records);
    }
}
