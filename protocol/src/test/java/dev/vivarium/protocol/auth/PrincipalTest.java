package dev.vivarium.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrincipalTest {
    @Test
    void aPrincipalIsReadAsItIsWritten() {
        assertThat(Principal.LOCAL_OPERATOR).hasToString("local:operator");
        assertThat(Principal.parse("local:operator")).isEqualTo(Principal.LOCAL_OPERATOR);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "operator", "local:", "local:a b", "LOCAL:operator", "nobody:operator"})
    void invalidPrincipalsAreRefused(String text) {
        assertThatThrownBy(() -> Principal.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
