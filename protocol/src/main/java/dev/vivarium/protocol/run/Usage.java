package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What an attempt used of its limits, measured from outside the sandbox; immutable. Amounts are in the units of the
 * limits' kinds; for limits on concurrent use, the highest seen. Memory is the kernel's high-water mark,
 * up to the limit, without files in the workspace and without the kernel's caches. Output is the stored amount.
 */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.NONE)
public final class Usage {
    /** Nothing was used. */
    public static final Usage NONE = new Usage(Map.of());

    private final Map<Limit<?>, Long> amounts;

    private Usage(Map<Limit<?>, Long> amounts) {
        this.amounts = Map.copyOf(amounts);
    }

    /**
     * This usage with an amount for a limit.
     *
     * @throws IllegalArgumentException for a limit without reported usage
     */
    public Usage with(Limit<?> limit, long amount) {
        if (limit.usage().isEmpty()) {
            throw new IllegalArgumentException("No usage is reported for the limit " + limit);
        }
        Map<Limit<?>, Long> changed = new HashMap<>(amounts);
        changed.put(limit, amount);
        return new Usage(changed);
    }

    /** The used amount of a limit; 0 if not measured. */
    public long get(Limit<?> limit) {
        return amounts.getOrDefault(limit, 0L);
    }

    /** As JSON: every amount by its name, in the table's order. */
    @JsonValue
    public Map<String, Long> byName() {
        Map<String, Long> named = new LinkedHashMap<>();
        Limit.ALL.forEach(limit -> limit.usage().ifPresent(name -> named.put(name, get(limit))));
        return named;
    }

    /** From JSON; missing amounts are 0, and unknown names are ignored. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Usage ofKnown(Map<String, Long> json) {
        Usage usage = NONE;
        for (Limit<?> limit : Limit.ALL) {
            Long amount =
                    limit.usage().isEmpty() ? null : json.get(limit.usage().get());
            usage = amount == null ? usage : usage.with(limit, amount);
        }
        return usage;
    }

    /**
     * From JSON with exactly the limits of the table.
     *
     * @throws IllegalArgumentException for any other JSON
     */
    public static Usage ofAll(Map<String, Long> json) {
        if (!json.keySet().equals(names()) || json.containsValue(null)) {
            throw new IllegalArgumentException("tells the amounts " + json + " instead of " + names());
        }
        return ofKnown(json);
    }

    private static Set<String> names() {
        return Limit.ALL.stream().flatMap(limit -> limit.usage().stream()).collect(Collectors.toSet());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Usage usage && byName().equals(usage.byName());
    }

    @Override
    public int hashCode() {
        return byName().hashCode();
    }

    @Override
    public String toString() {
        return byName().toString();
    }
}
