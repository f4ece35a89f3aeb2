package dev.vivarium.protocol.access;

import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Amounts of quotas.
 *
 * @param amounts those that are named, in their units; {@link Quota#UNLIMITED} lifts a quota
 */
public record Quotas(Map<Quota, Long> amounts) {
    /** None named: nothing is limited. */
    public static final Quotas NONE = new Quotas(Map.of());

    public Quotas {
        amounts = Map.copyOf(amounts);
    }

    /** The amount, {@link Quota#UNLIMITED} if the quota is not named. */
    public long of(Quota quota) {
        return amounts.getOrDefault(quota, Quota.UNLIMITED);
    }

    /** The tenant's weight in queues, 1 if it is not named. */
    public int weight() {
        return Math.toIntExact(amounts.getOrDefault(Quota.WEIGHT, 1L));
    }

    /** These, except where others are named. */
    public Quotas except(Quotas others) {
        Map<Quota, Long> all = new EnumMap<>(Quota.class);
        all.putAll(amounts);
        all.putAll(others.amounts);
        return new Quotas(all);
    }

    /** Amounts by names; names that this version does not know are left out. */
    public static Quotas named(Map<String, Long> byName) {
        return new Quotas(byName.entrySet().stream()
                .filter(entry -> Quota.named(entry.getKey()).isPresent())
                .collect(Collectors.toMap(entry -> Quota.of(entry.getKey()), Map.Entry::getValue)));
    }

    /** The amounts by names. */
    public Map<String, Long> byName() {
        return amounts.keySet().stream().collect(Collectors.toMap(Quota::toString, this::of));
    }
}
