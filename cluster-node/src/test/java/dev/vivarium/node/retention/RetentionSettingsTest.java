package dev.vivarium.node.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetentionSettingsTest {
    private static final Tenant RESEARCH = new Tenant("research");
    private static final Tenant OTHER = new Tenant("other");

    @Test
    void asShippedOutputAndFilesAreKeptForThirtyDays() {
        RetentionSettings shipped = settings("");

        for (Kind kind : Kind.values()) {
            assertThat(shipped.kept(OTHER, kind)).contains(Duration.ofDays(30));
            assertThat(shipped.shortest(kind)).contains(Duration.ofDays(30));
        }
    }

    @Test
    void aTenantsOwnRuleComesBeforeTheDefault() {
        RetentionSettings settings = settings("tenants.research { output = 90d }, output = forever, artifacts = 7d");

        assertThat(settings.kept(RESEARCH, Kind.OUTPUT)).contains(Duration.ofDays(90));
        assertThat(settings.kept(RESEARCH, Kind.ARTIFACTS)).contains(Duration.ofDays(7));
        assertThat(settings.kept(OTHER, Kind.OUTPUT)).isEmpty();
        assertThat(settings.shortest(Kind.OUTPUT)).contains(Duration.ofDays(90));
    }

    @Test
    void nothingOfATenantOnHoldIsDeletedWhateverElseIsSaid() {
        RetentionSettings settings = settings("tenants.research { output = 1h, hold = \"case 4711\" }");

        assertThat(settings.kept(RESEARCH, Kind.OUTPUT)).isEmpty();
        assertThat(settings.kept(RESEARCH, Kind.ARTIFACTS)).isEmpty();
        assertThat(settings.kept(OTHER, Kind.OUTPUT)).isPresent();
    }

    @Test
    void eventsAreKeptForEverUnlessOneSaysOtherwise() {
        assertThat(settings("").shortestOfEvents()).isEmpty();
        assertThat(settings("").eventsKept(OTHER)).isEmpty();
        RetentionSettings settings = settings("events = 365d, tenants { research { events = 90d },"
                + " b { events = forever }, c { events = 1h, hold = \"case 4711\" } }");

        assertThat(settings.eventsKept(OTHER)).contains(Duration.ofDays(365));
        assertThat(settings.eventsKept(RESEARCH)).contains(Duration.ofDays(90));
        assertThat(settings.eventsKept(new Tenant("b"))).isEmpty();
        assertThat(settings.eventsKept(new Tenant("c"))).isEmpty();
        assertThat(settings.shortestOfEvents()).contains(Duration.ofDays(90));
    }

    @Test
    void whereAllIsKeptForEverThereIsNothingToLookFor() {
        assertThat(settings("output = forever").shortest(Kind.OUTPUT)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "output = 0s",
                "output = 59s",
                "artifacts = -1d",
                "output = soon",
                "tenants.a.output = 1s",
                "events = 30s"
            })
    void aTimeThatIsTooShortOrNoneIsRefused(String block) {
        assertThatThrownBy(() -> settings(block)).isInstanceOf(ConfigException.class);
    }

    private static RetentionSettings settings(String block) {
        return RetentionSettings.from(ConfigFactory.parseString("vivarium.retention {" + block + "}")
                .withFallback(ConfigFactory.defaultReference())
                .resolve()
                .getConfig("vivarium.retention"));
    }
}
