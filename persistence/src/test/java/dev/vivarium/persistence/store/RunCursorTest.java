package dev.vivarium.persistence.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RunCursorTest {
    private static final RunCursor CURSOR = new RunCursor(Fixtures.NOON, Fixtures.run(7));

    @Test
    void aCursorReadsBackEqualToTheMicrosecond() {
        assertThat(RunCursor.decode(CURSOR.encode())).isEqualTo(CURSOR);
        assertThat(CURSOR.submittedAt()).isEqualTo(Instant.parse("2026-01-01T12:00:00.123456Z"));
        assertThat(CURSOR.encode()).matches("[A-Za-z0-9_-]+");
    }

    @Test
    void aTextWithAnyOtherCharacterIsRefused() {
        String text = CURSOR.encode();
        for (int i = 0; i < text.length(); i++) {
            String typo = text.substring(0, i) + (text.charAt(i) == 'A' ? 'Q' : 'A') + text.substring(i + 1);
            assertThatThrownBy(() -> RunCursor.decode(typo)).isInstanceOf(RunIndex.BadCursor.class);
        }
    }

    @Test
    void aTruncatedOrTooLongTextIsRefused() {
        String text = CURSOR.encode();
        for (String other :
                new String[] {"", text.substring(1), text.substring(0, text.length() - 4), text + "AAAA", "%"}) {
            assertThatThrownBy(() -> RunCursor.decode(other)).isInstanceOf(RunIndex.BadCursor.class);
        }
    }
}
