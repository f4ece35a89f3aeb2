package dev.vivarium.node.tenant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TenantConfigTest {
    @Test
    void whatIsShippedLimitsNothing() {
        for (Quota quota : Quota.values()) {
            assertThat(config("").defaults().amounts())
                    .containsEntry(quota, quota == Quota.WEIGHT ? 1 : Quota.UNLIMITED);
        }
    }

    @Test
    void quotasAreReadInTheNotationOfLimits() {
        TenantConfig config =
                config("defaults { runs = 5, cpu = 500m }, named.research { memory = 8Gi, runs = unlimited }");

        assertThat(config.defaults().of(Quota.RUNS)).isEqualTo(5);
        assertThat(config.defaults().of(Quota.CPU)).isEqualTo(500);
        assertThat(config.named())
                .isEqualTo(Map.of(
                        new Tenant("research"),
                        new Quotas(Map.of(Quota.MEMORY, 8L << 30, Quota.RUNS, Quota.UNLIMITED))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "defaults.runs = many         | vivarium.tenants.defaults.runs",
                "defaults.runs = -1           | vivarium.tenants.defaults.runs",
                "defaults.runs = [1]          | vivarium.tenants.defaults.runs",
                "defaults.readsPerSecond = 2000000 | vivarium.tenants.defaults.readsPerSecond",
                "defaults.weight = 0 | vivarium.tenants.defaults.weight",
                "named.a.weight = unlimited | vivarium.tenants.named.a.weight",
                "named.Research.runs = 1      | vivarium.tenants.named.Research",
                "named.\"..\".runs = 1        | vivarium.tenants.named...",
                "named.a.runz = 1             | vivarium.tenants.named.a.runz",
                "named.a = 1                  | vivarium.tenants.named.a",
                "refresh = 1h                 | vivarium.tenants.refresh",
                "refresh = 1ms                | vivarium.tenants.refresh",
                "measure-interval = 1ms       | vivarium.tenants.measure-interval",
            })
    void aWrongKeyIsNamed(String settings, String key) {
        assertThatThrownBy(() -> config(settings))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(key);
    }

    private static TenantConfig config(String settings) {
        return TenantConfig.from(ConfigFactory.parseString(settings)
                .withFallback(ConfigFactory.defaultReference().getConfig("vivarium.tenants")));
    }
}
