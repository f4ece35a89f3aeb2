package dev.vivarium.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ShellWordsTest {
    @Test
    void plainWordsAreNotQuoted() {
        assertThat(ShellWords.of(List.of("python3", "/a/b.py", "--x=1,2"))).isEqualTo("python3 /a/b.py --x=1,2");
    }

    @Test
    void wordsWithSpecialCharactersAreQuoted() {
        assertThat(ShellWords.of(List.of("sh", "-c", "echo $1; it's", "", "ä")))
                .isEqualTo("sh -c 'echo $1; it'\\''s' '' 'ä'");
    }
}
