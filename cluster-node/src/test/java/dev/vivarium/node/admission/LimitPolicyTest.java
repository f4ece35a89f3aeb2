package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LimitPolicyTest {
    private static final Config SHIPPED = Samples.SHIPPED.getConfig("limits");
    private static final LimitPolicy POLICY = LimitPolicy.from(SHIPPED);

    @ParameterizedTest
    @CsvSource({
        "5m,    1,    5m31s",
        "1h,    500m, 33m1s",
        "10m,   2,    22m1s",
        "1ms,   1,    2s",
        "24h,   4,    24h",
    })
    void theDefaultOfProcessorTimeExceedsWhatTheWallClockAllows(String wallClock, String cpu, String expected) {
        Limits limits = Samples.valid("{\"image\": \"a\", \"command\": [\"x\"], \"limits\": {\"wallClock\": \""
                        + wallClock + "\", \"cpu\": \"" + cpu + "\"}}")
                .limits();

        assertThat(limits.get(Limit.CPU_TIME)).hasToString(expected);
    }

    @Test
    void aNodeWithDisksInMemoryRefusesLargerOnes() {
        LimitPolicy inMemory = POLICY.withDisksInMemory(ByteSize.parse("4Gi"));

        assertThat(inMemory.decide(Limits.NONE.with(Limit.DISK, "4Gi")))
                .isInstanceOf(LimitPolicy.Verdict.Granted.class);
        assertThat(inMemory.decide(Limits.NONE.with(Limit.DISK, "5Gi")))
                .isEqualTo(new LimitPolicy.Verdict.Refused(List.of(new FieldError(
                        "limits.disk",
                        "must be at most 4Gi on this node, whose sandboxes have their disks in memory"
                                + " (vivarium.driver.docker.disk-size-max)"))));
        assertThat(POLICY.decide(Limits.NONE.with(Limit.DISK, "5Gi"))).isInstanceOf(LimitPolicy.Verdict.Granted.class);
    }

    @Test
    void limitsAtTheirCeilingAndAtTheirMinimumAreAccepted() {
        Limits most = Samples.valid(
                        """
                        {"image": "a", "command": ["x"], "limits": {"wallClock": "24h", "grace": "30s", "sharedMemory": "4Gi", "idle": "24h", "cpu": 4,
                         "cpuTime": "24h", "memory": "4Gi", "pids": 4096, "disk": "4Gi", "files": 262144, "openFiles": 65536, "output": 1073741824, "artifacts": "1Gi",
                         "egressRequests": 100000, "egressBytes": "1Ti"}}
                        """)
                .limits();
        Limits least = Samples.valid(
                        """
                        {"image": "a", "command": ["x"], "limits": {"wallClock": "1ms", "grace": "1ms", "sharedMemory": "4Ki", "idle": "1ms", "cpu": 0.01,
                         "cpuTime": "1ms", "memory": "6Mi", "pids": 1, "disk": "4Ki", "files": 1, "openFiles": 16, "output": 1, "artifacts": 1, "egressRequests": 1,
                         "egressBytes": 1}}
                        """)
                .limits();

        assertThat(most.get(Limit.PIDS)).isEqualTo(4096);
        assertThat(least.get(Limit.CPU)).hasToString("10m");
    }

    @Test
    void aCeilingOfTheOperatorIsEnforced() {
        Config strict = ConfigFactory.parseString("ceiling.memory = 300Mi").withFallback(SHIPPED);
        LimitPolicy policy = LimitPolicy.from(strict);

        Limits asked = Limits.NONE.with(Limit.MEMORY, "301Mi");

        assertThat(policy.decide(asked))
                .isEqualTo(new LimitPolicy.Verdict.Refused(List.of(new FieldError(
                        "limits.memory", "must be at most 300Mi, the ceiling that this node's operator set"))));
    }

    @Test
    void sharedMemoryIsAtMostTheMemory() {
        LimitPolicy policy = LimitPolicy.from(SHIPPED);
        Limits small = Limits.NONE.with(Limit.MEMORY, "32Mi");

        assertThat(policy.decide(small))
                .isInstanceOfSatisfying(LimitPolicy.Verdict.Granted.class, granted -> assertThat(
                                granted.limits().get(Limit.SHARED_MEMORY))
                        .hasToString("32Mi"));
        assertThat(policy.decide(small.with(Limit.SHARED_MEMORY, "33Mi")))
                .isEqualTo(new LimitPolicy.Verdict.Refused(List.of(new FieldError(
                        "limits.sharedMemory",
                        "must be at most 32Mi, the run's limits.memory, of which it is a part"))));
    }

    @Test
    void loweringTheMemoryLowersSharedMemoryToo() {
        Config strict = ConfigFactory.parseString("ceiling.memory = 48Mi, default.memory = 16Mi")
                .withFallback(SHIPPED);

        LimitPolicy policy = LimitPolicy.from(strict);

        assertThat(policy.defaults().get(Limit.SHARED_MEMORY)).hasToString("16Mi");
        assertThat(policy.decide(Limits.NONE.with(Limit.SHARED_MEMORY, "49Mi")))
                .isInstanceOf(LimitPolicy.Verdict.Refused.class);
    }

    @Test
    void theShippedConfigurationHasExactlyADefaultAndACeilingForEachLimit() {
        Set<String> withDefault = Limit.ALL.stream()
                .filter(limit -> limit != Limit.CPU_TIME)
                .map(Limit::name)
                .collect(Collectors.toSet());

        assertThat(SHIPPED.getObject("ceiling").keySet()).isEqualTo(Limit.names());
        assertThat(SHIPPED.getObject("default").keySet()).isEqualTo(withDefault);
    }

    @ParameterizedTest
    @CsvSource({
        "default.memory = 8Gi,       limits.default.memory",
        "ceiling.pids = 0,           limits.ceiling.pids",
        "default.wallClock = soon,   wallClock",
        "ceiling.cpuTime = 0s,       limits.ceiling.cpuTime",
        "default.pids = 128Mi,       must be a count",
        "ceiling.pids = 1.5,         must be a count",
        "ceiling.egressBytes = many, must be a size such as",
    })
    void contradictorySettingsAreRefusedByName(String setting, String key) {
        Config config = ConfigFactory.parseString(setting).withFallback(SHIPPED);

        assertThatThrownBy(() -> LimitPolicy.from(config))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(key);
    }
}
