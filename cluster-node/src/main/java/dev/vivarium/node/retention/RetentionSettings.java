package dev.vivarium.node.retention;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigUtil;
import dev.vivarium.persistence.retention.RetentionRules;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The block {@code vivarium.retention}: for how long output, artifacts and events are kept after the end of a run, by tenant.
 *
 * @param interval the pause between two looks of a node
 * @param defaults for tenants without rules of their own; a kind that is missing is kept for ever
 * @param tenants rules of tenants; a kind that is missing follows the defaults
 * @param events how long runs are kept with their events; empty for ever
 * @param eventsOfTenants the same of tenants with a rule of their own
 * @param held the tenants under a configured hold, of which nothing is deleted, not even on request
 */
public record RetentionSettings(
        Duration interval,
        Map<Kind, Optional<Duration>> defaults,
        Map<Tenant, Map<Kind, Optional<Duration>>> tenants,
        Optional<Duration> events,
        Map<Tenant, Optional<Duration>> eventsOfTenants,
        Set<Tenant> held)
        implements RetentionRules {
    private static final String EVENTS = "events";
    private static final String FOR_EVER = "forever";
    private static final String HOLD = "hold";
    private static final Duration SHORTEST = Duration.ofMinutes(1);

    public RetentionSettings {
        defaults = Map.copyOf(defaults);
        tenants = Map.copyOf(tenants);
        eventsOfTenants = Map.copyOf(eventsOfTenants);
        held = Set.copyOf(held);
    }

    /**
     * Reads the block.
     *
     * @throws ConfigException with a sentence for the operator
     */
    public static RetentionSettings from(Config block) {
        Map<Tenant, Map<Kind, Optional<Duration>>> tenants = new HashMap<>();
        Map<Tenant, Optional<Duration>> eventsOfTenants = new HashMap<>();
        Set<Tenant> held = new HashSet<>();
        Config byTenant = block.getConfig("tenants");
        byTenant.root().keySet().forEach(name -> {
            Tenant tenant = new Tenant(name);
            Config own = byTenant.getConfig(ConfigUtil.quoteString(name));
            if (isHeld(own)) {
                held.add(tenant);
                tenants.put(tenant, forEver());
                eventsOfTenants.put(tenant, Optional.empty());
            } else {
                tenants.put(tenant, rules(own));
                if (own.hasPath(EVENTS)) {
                    eventsOfTenants.put(tenant, kept(own, EVENTS));
                }
            }
        });
        return new RetentionSettings(
                block.getDuration("interval"), rules(block), tenants, kept(block, EVENTS), eventsOfTenants, held);
    }

    private static boolean isHeld(Config own) {
        return own.hasPath(HOLD) && !own.getString(HOLD).isEmpty();
    }

    private static Map<Kind, Optional<Duration>> forEver() {
        Map<Kind, Optional<Duration>> rules = new EnumMap<>(Kind.class);
        Stream.of(Kind.values()).forEach(kind -> rules.put(kind, Optional.empty()));
        return rules;
    }

    private static Map<Kind, Optional<Duration>> rules(Config block) {
        Map<Kind, Optional<Duration>> rules = new EnumMap<>(Kind.class);
        for (Kind kind : Kind.values()) {
            String name = kind.name().toLowerCase(Locale.ROOT);
            if (block.hasPath(name)) {
                rules.put(kind, kept(block, name));
            }
        }
        return rules;
    }

    private static Optional<Duration> kept(Config block, String name) {
        if (block.getString(name).equals(FOR_EVER)) {
            return Optional.empty();
        }
        Duration kept = block.getDuration(name);
        if (kept.compareTo(SHORTEST) < 0) {
            throw new ConfigException.BadValue(
                    block.origin(), name, "must be at least 1m, or " + FOR_EVER + "; it counts from the end of a run");
        }
        return Optional.of(kept);
    }

    @Override
    public Optional<Duration> kept(Tenant tenant, Kind kind) {
        Map<Kind, Optional<Duration>> own = tenants.getOrDefault(tenant, Map.of());
        Optional<Duration> otherwise = defaults.getOrDefault(kind, Optional.empty());
        return own.getOrDefault(kind, otherwise);
    }

    @Override
    public Optional<Duration> eventsKept(Tenant tenant) {
        return eventsOfTenants.getOrDefault(tenant, events);
    }

    @Override
    public Optional<Duration> shortestOfEvents() {
        return Stream.concat(Stream.of(events), eventsOfTenants.values().stream())
                .flatMap(Optional::stream)
                .min(Duration::compareTo);
    }

    @Override
    public Optional<Duration> shortest(Kind kind) {
        return Stream.concat(
                        Stream.of(defaults.getOrDefault(kind, Optional.empty())),
                        tenants.keySet().stream().map(tenant -> kept(tenant, kind)))
                .flatMap(Optional::stream)
                .min(Duration::compareTo);
    }
}
