package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunIdTest {
    @Property
    void everyUlidInLowerCaseIsARunId(@ForAll("ulids") String ulid) {
        assertThat(RunId.isValid(ulid)).isTrue();
        assertThat(new RunId(ulid)).hasToString(ulid);
    }

    @Property
    void aRunIdNeedsNoEscapingAnywhere(@ForAll String text) {
        if (RunId.isValid(text)) {
            assertThat(text).matches("[0-9a-z]{26}");
        } else {
            assertThatThrownBy(() -> new RunId(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "01j0000000000000000000000",
                "01j0000000000000000000000aa",
                "81j0000000000000000000000a",
                "01J0000000000000000000000A",
                "01j0000000000000000000000i",
                "01j0000000000000000000000l",
                "01j0000000000000000000000o",
                "01j0000000000000000000000u",
                "01j0000000000000000000000a\n",
                "../../../../../../etc/pass",
            })
    void anythingButALowerCaseUlidIsRefused(String text) {
        assertThat(RunId.isValid(text)).isFalse();
        assertThatThrownBy(() -> new RunId(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("26 characters");
    }

    @Provide
    Arbitrary<String> ulids() {
        return Combinators.combine(
                        Arbitraries.chars().range('0', '7'),
                        Arbitraries.strings()
                                .withChars("0123456789abcdefghjkmnpqrstvwxyz")
                                .ofLength(25))
                .as((first, rest) -> first + rest);
    }
}
