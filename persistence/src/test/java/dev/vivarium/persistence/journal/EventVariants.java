package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.Usage;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The variants of events, or of acts, by name: each field of each record, each constant of an enum, each kind of a sealed interface, an
 * optional field that is there and one that is not, each limit and each amount that is used. Read from the types by
 * reflection, so that a new one is noticed.
 */
final class EventVariants {
    private final SortedSet<String> names = new TreeSet<>();
    private final Set<Class<?>> visited = new HashSet<>();

    private EventVariants() {}

    /** All that the types allow. */
    static SortedSet<String> possible(Class<?> all) {
        EventVariants variants = new EventVariants();
        variants.visit(all, all.getSimpleName());
        return variants.names;
    }

    /** Those of these events. */
    static <E> SortedSet<String> of(Class<E> all, List<E> events) {
        EventVariants variants = new EventVariants();
        events.forEach(event -> variants.visit(all, event, all.getSimpleName()));
        return variants.names;
    }

    private void visit(Type type, String place) {
        Class<?> raw = raw(type);
        names.add(place);
        if (raw == Optional.class) {
            names.add(place + " is absent");
            visit(lastArgument(type), place);
        } else if (isMany(raw)) {
            visit(lastArgument(type), place);
        } else if (raw == Limits.class) {
            Limit.names().forEach(name -> names.add(place + "." + name));
        } else if (raw == Usage.class) {
            Usage.NONE.byName().keySet().forEach(name -> names.add(place + "." + name));
        } else if (raw.isEnum()) {
            List.of(raw.getEnumConstants()).forEach(constant -> names.add(place + " = " + constant));
        } else if (raw.isSealed()) {
            List.of(raw.getPermittedSubclasses()).forEach(kind -> visit(kind, place + " = " + kind.getSimpleName()));
        } else if (raw.isRecord() && visited.add(raw)) {
            for (RecordComponent component : raw.getRecordComponents()) {
                visit(component.getGenericType(), raw.getSimpleName() + "." + component.getName());
            }
        }
    }

    private void visit(Type type, Object value, String place) {
        Class<?> raw = raw(type);
        if (raw == Optional.class && ((Optional<?>) value).isEmpty()) {
            names.add(place + " is absent");
        } else if (raw == Optional.class) {
            visit(lastArgument(type), ((Optional<?>) value).get(), place);
        } else if (isMany(raw)) {
            Collection<?> all = value instanceof Map<?, ?> map ? map.values() : (Collection<?>) value;
            all.forEach(one -> visit(lastArgument(type), one, place));
        } else {
            names.add(place);
            visitOne(raw, value, place);
        }
    }

    private void visitOne(Class<?> raw, Object value, String place) {
        if (value instanceof Limits limits) {
            limits.byName().keySet().forEach(name -> names.add(place + "." + name));
        } else if (value instanceof Usage usage) {
            usage.byName().forEach((name, amount) -> names.add(amount == 0 ? place : place + "." + name));
        } else if (raw.isEnum()) {
            names.add(place + " = " + value);
        } else if (raw.isSealed()) {
            for (Class<?> kind : raw.getPermittedSubclasses()) {
                if (kind.isInstance(value)) {
                    visit(kind, value, place + " = " + kind.getSimpleName());
                }
            }
        } else if (raw.isRecord()) {
            for (RecordComponent component : raw.getRecordComponents()) {
                visit(
                        component.getGenericType(),
                        read(component, value),
                        raw.getSimpleName() + "." + component.getName());
            }
        }
    }

    private static Object read(RecordComponent component, Object value) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(value);
        } catch (ReflectiveOperationException notReadable) {
            throw new IllegalStateException(notReadable);
        }
    }

    private static boolean isMany(Class<?> raw) {
        return Collection.class.isAssignableFrom(raw) || Map.class.isAssignableFrom(raw);
    }

    private static Class<?> raw(Type type) {
        return type instanceof ParameterizedType generic ? (Class<?>) generic.getRawType() : (Class<?>) type;
    }

    private static Type lastArgument(Type type) {
        Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
        return arguments[arguments.length - 1];
    }
}
