package dev.vivarium.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TenantTest {
    @Test
    void aTenantIsWrittenAsItsName() {
        assertThat(new Tenant("Müller & Söhne")).hasToString("Müller & Söhne");
        assertThat(Tenant.isValid("x".repeat(Tenant.NAME_MAX))).isTrue();
        assertThat(Tenant.isValid("x".repeat(Tenant.NAME_MAX + 1))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\u0000", "\u0085"})
    void invalidNamesOfTenantsAreRefused(String name) {
        assertThatThrownBy(() -> new Tenant(name)).isInstanceOf(IllegalArgumentException.class);
    }
}
