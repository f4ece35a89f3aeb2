package dev.vivarium.node.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.admission.Samples;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallerSettingsTest {
    @Test
    void withoutAnAuthorityCallersPresentNoCertificates() {
        assertThat(settings("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rules = [ { role = operator } ]                                     | authority must name",
                "revoked = a.crl                                                     | authority must name",
                "authority = a.crt                                                   | must have a rule",
                "authority = a.crt, rules = [ { role = viewer } ]                    | without a tenant",
                "authority = a.crt, rules = [ { role = god, tenant = t } ]           | a role that there is not: god",
                "authority = a.crt, rules = [ { role = viewer, tenant = \"..\" } ]   | whose tenant is not one",
                "authority = a.crt, rules = [ { role = viewer, tenant = T } ]        | whose tenant is not one",
                "authority = a.crt, rules = [ { role = operator, attribute = OU } ]  | one of attribute and value",
                "authority = a.crt, rules = [ { role = operator, claim = OU } ]      | a key that there is not: claim",
                "authority = a.crt, rules = [ { role = viewer, tenant-attribute = EMAIL } ] | the attribute EMAIL",
                "authority = a.crt, principal = SAN, rules = [ { role = operator } ] | the attribute SAN"
            })
    void whatCannotBeMeantIsRefused(String block, String why) {
        assertThatThrownBy(() -> settings(block))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("vivarium.http.tls.callers")
                .hasMessageContaining(why);
    }

    private static Optional<CallerSettings> settings(String block) {
        return CallerSettings.from(
                ConfigFactory.parseString(block).withFallback(Samples.SHIPPED.getConfig("http.tls.callers")));
    }
}
