package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.subject.NetworkProbe.Costs;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EgressCommandTest {
    @Test
    void eachPathIsComparedWithTheUnfilteredContainer() {
        Map<String, List<Costs>> measured = new LinkedHashMap<>();
        measured.put("container", List.of(costs(200, 1, 1000)));
        measured.put("gateway", List.of(costs(100, 3, 2000)));

        assertThat(EgressCommand.table(measured, 256).lines().skip(2))
                .containsExactly(
                        "container      200.0  1.00x           1.000  1.00x  256.00        1.00x",
                        "gateway        100.0  0.50x           3.000  3.00x  128.00        2.00x");
    }

    @Test
    void theCostOfANetworkAtStartIsComparedWithTheEnginesBridge() {
        Map<String, Duration> medians = new LinkedHashMap<>();
        medians.put("container, none", Duration.ofMillis(100));
        medians.put("container, bridge", Duration.ofMillis(140));
        medians.put("sandbox, none", Duration.ofMillis(90));
        medians.put("sandbox, public", Duration.ofMillis(170));

        assertThat(EgressCommand.attached(medians).lines().skip(2).map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "container, none 100.0",
                        "container, bridge 140.0 40.0 1.00x",
                        "sandbox, none 90.0",
                        "sandbox, public 170.0 80.0 2.00x");
    }

    private static Costs costs(long start, long connection, long fetch) {
        return new Costs(Duration.ofMillis(start), Duration.ofMillis(connection), Duration.ofMillis(fetch));
    }
}
