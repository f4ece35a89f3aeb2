package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Invalid cluster settings are refused with a sentence before the node joins. */
class ClusterSettingsTest {
    private static final Config SHIPPED = ConfigFactory.load().getConfig("vivarium.cluster");

    @Test
    void theShippedSettingsAreValid() throws NodeStartException {
        assertThat(ClusterSettings.from(SHIPPED).isAlone()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "detector.pause = abc, detector.pause",
        "detector.pause = 0s, above 0",
        "detector.interval = 3s, shorter than detector.pause",
        "split-brain.stable-after = -1s, above 0",
        "fencing.lease = 12s, 12000ms and must be at least detector.pause and split-brain.stable-after together and 5s more (13000ms)",
        "formation = sedes, must be one of"
    })
    void invalidSettingsAreRefused(String given, String expected) {
        Config config = ConfigFactory.parseString("vivarium.cluster." + given)
                .withFallback(ConfigFactory.load())
                .resolve();

        assertThatThrownBy(() -> ClusterSettings.of(config))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining(expected);
    }
}
