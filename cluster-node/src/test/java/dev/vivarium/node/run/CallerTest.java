package dev.vivarium.node.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.auth.Principal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CallerTest {
    private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");

    @Test
    void waitingForAnAnswerEndsAtTheDeadline() {
        Caller caller = new Caller(Principal.LOCAL_OPERATOR, Optional.empty(), NOW.plusSeconds(3));

        assertThat(caller.until(NOW, Duration.ofSeconds(2))).isEqualTo(NOW.plusSeconds(2));
        assertThat(caller.until(NOW, Duration.ofSeconds(20))).isEqualTo(NOW.plusSeconds(3));
    }
}
