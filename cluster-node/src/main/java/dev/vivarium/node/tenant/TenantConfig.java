package dev.vivarium.node.tenant;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * The block {@code vivarium.tenants} of the configuration; see reference.conf.
 *
 * @param defaults the quotas of all tenants
 * @param named what tenants have instead
 * @param refresh how often a node reads what operators have set: the time within which a change holds everywhere
 * @param measureInterval how often a node measures what is kept of tenants, unless that takes long
 * @param countMax for how many tenants operators may set quotas
 */
public record TenantConfig(
        Quotas defaults, Map<Tenant, Quotas> named, Duration refresh, Duration measureInterval, int countMax) {
    private static final Duration REFRESH_MAX = Duration.ofSeconds(30);
    private static final Duration REFRESH_MIN = Duration.ofMillis(100);
    private static final Duration MEASURE_MAX = Duration.ofHours(1);
    private static final Duration MEASURE_MIN = Duration.ofSeconds(1);

    public TenantConfig {
        named = Map.copyOf(named);
    }

    /**
     * Reads the settings.
     *
     * @throws ConfigException when a key is missing or wrong
     */
    public static TenantConfig from(Config tenants) {
        Map<Tenant, Quotas> named = new HashMap<>();
        tenants.getObject("named").forEach((name, quotas) -> {
            String path = "named." + name;
            if (!Tenant.isPlain(name)) {
                throw wrong(quotas, path, "is no tenant: a name " + Tenant.PLAIN_RULE);
            }
            if (!(quotas instanceof ConfigObject object)) {
                throw wrong(quotas, path, "must be a block of quotas, such as { runs = 10 }");
            }
            named.put(new Tenant(name), quotas(path, object));
        });
        Duration refresh = tenants.getDuration("refresh");
        if (refresh.compareTo(REFRESH_MIN) < 0 || refresh.compareTo(REFRESH_MAX) > 0) {
            throw wrong(tenants.getValue("refresh"), "refresh", "must be from 100ms to 30s");
        }
        Duration measure = tenants.getDuration("measure-interval");
        if (measure.compareTo(MEASURE_MIN) < 0 || measure.compareTo(MEASURE_MAX) > 0) {
            throw wrong(tenants.getValue("measure-interval"), "measure-interval", "must be from 1s to 1h");
        }
        return new TenantConfig(
                quotas("defaults", tenants.getObject("defaults")),
                named,
                refresh,
                measure,
                tenants.getInt("count-max"));
    }

    private static Quotas quotas(String path, ConfigObject block) {
        Map<Quota, Long> amounts = new EnumMap<>(Quota.class);
        block.forEach((name, value) -> {
            String key = path + "." + name;
            Quota quota = Quota.named(name).orElseThrow(() -> wrong(value, key, "is no quota"));
            amounts.put(quota, amount(quota, key, value));
        });
        return new Quotas(amounts);
    }

    private static long amount(Quota quota, String key, ConfigValue value) {
        if (value.valueType() != ConfigValueType.STRING && value.valueType() != ConfigValueType.NUMBER) {
            throw wrong(value, key, "must be " + quota.notation());
        }
        try {
            return quota.amount(String.valueOf(value.unwrapped()));
        } catch (IllegalArgumentException malformed) {
            throw wrong(value, key, String.valueOf(malformed.getMessage()));
        }
    }

    private static ConfigException wrong(ConfigValue value, String key, String why) {
        return new ConfigException.BadValue(value.origin(), "vivarium.tenants." + key, why);
    }
}
