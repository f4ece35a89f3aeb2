package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Amounts of limits, immutable. A run's limits are complete; a submission names only those that differ from the node's
 * defaults. {@link Limit} says what each one means.
 */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.NONE)
public final class Limits {
    /** Names no limit. */
    public static final Limits NONE = new Limits(Map.of());

    /** Each limit at its smallest. */
    public static final Limits SMALLEST = smallest();

    private static final BigDecimal CPU_TIME_MARGIN = new BigDecimal("1.1");

    private final Map<Limit<?>, Object> amounts;

    private Limits(Map<Limit<?>, Object> amounts) {
        this.amounts = Map.copyOf(amounts);
    }

    private static Limits smallest() {
        Map<Limit<?>, Object> smallest = new HashMap<>();
        Limit.ALL.forEach(limit -> smallest.put(limit, limit.smallest()));
        return new Limits(smallest);
    }

    /** These limits with another amount of one limit. */
    public <T extends Comparable<T>> Limits with(Limit<T> limit, T amount) {
        Map<Limit<?>, Object> changed = new HashMap<>(amounts);
        changed.put(limit, amount);
        return new Limits(changed);
    }

    /** These limits with the amount parsed from a text in the limit's notation. */
    public <T extends Comparable<T>> Limits with(Limit<T> limit, String amount) {
        return with(limit, limit.kind().parse(amount));
    }

    /** The amount of a limit, if it is named. */
    @SuppressWarnings("unchecked") // with() puts nothing else there.
    public <T extends Comparable<T>> Optional<T> find(Limit<T> limit) {
        return Optional.ofNullable((T) amounts.get(limit));
    }

    /** The amount of a limit; for the complete limits of a run. */
    public <T extends Comparable<T>> T get(Limit<T> limit) {
        return find(limit).orElseThrow(() -> new IllegalStateException("There is no amount of the limit " + limit));
    }

    /**
     * A run's limits with another wall clock. If processor time has the amount that follows from wall clock and share of
     * processors, it follows the new wall clock too; an amount of its own stays.
     *
     * @param cpuTimeMax the operator's ceiling of processor time
     */
    public Limits renewed(TimeSpan wallClock, TimeSpan cpuTimeMax) {
        Limits renewed = with(Limit.WALL_CLOCK, wallClock);
        boolean follows = get(Limit.CPU_TIME).equals(cpuTimeOutOfReach(cpuTimeMax));
        return follows ? renewed.with(Limit.CPU_TIME, renewed.cpuTimeOutOfReach(cpuTimeMax)) : renewed;
    }

    /**
     * The default of processor time: what the kernel allows until the end of the wall clock, plus a tenth and a second; in
     * whole seconds.
     *
     * @param most the operator's ceiling
     */
    public TimeSpan cpuTimeOutOfReach(TimeSpan most) {
        long seconds = BigDecimal.valueOf(get(Limit.WALL_CLOCK).millis())
                .multiply(BigDecimal.valueOf(get(Limit.CPU).millicores()))
                .multiply(CPU_TIME_MARGIN)
                .movePointLeft(6)
                .setScale(0, RoundingMode.CEILING)
                .longValueExact();
        TimeSpan outOfReach = TimeSpan.ofSeconds(seconds + 1);
        return outOfReach.compareTo(most) > 0 ? most : outOfReach;
    }

    /** As JSON: amounts by name in the table's order, counts as numbers, everything else in its notation. */
    @JsonValue
    public Map<String, Object> byName() {
        Map<String, Object> named = new LinkedHashMap<>();
        Limit.ALL.forEach(limit -> find(limit).ifPresent(amount -> named.put(limit.name(), amount)));
        return named;
    }

    /** From JSON; ignores names that are not in the table, so that an older client can read a newer node's answers. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Limits ofKnown(Map<String, Object> json) {
        Limits limits = NONE;
        for (Limit<?> limit : Limit.ALL) {
            Object amount = json.get(limit.name());
            limits = amount == null ? limits : limits.with(limit, amount.toString());
        }
        return limits;
    }

    /**
     * From JSON that names each limit of the table and no other.
     *
     * @throws IllegalArgumentException for any other JSON
     */
    public static Limits ofAll(Map<String, Object> json) {
        if (!json.keySet().equals(Limit.names())) {
            throw new IllegalArgumentException("names the limits " + json.keySet() + " instead of " + Limit.names());
        }
        return ofKnown(json);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Limits limits && amounts.equals(limits.amounts);
    }

    @Override
    public int hashCode() {
        return amounts.hashCode();
    }

    @Override
    public String toString() {
        return byName().toString();
    }
}
