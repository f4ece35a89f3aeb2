package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathGlobTest {
    @ParameterizedTest
    @CsvSource({
        "a, a, MATCHES",
        "a, b, NONE",
        "a, ab, NONE",
        "a, '', BELOW",
        "a, a/b/c, MATCHES",
        "a/, a/b, MATCHES",
        "a/b, a, BELOW",
        "a/b, a/c, NONE",
        "out/*.csv, out/x.csv, MATCHES",
        "out/*.csv, out/.csv, MATCHES",
        "out/*.csv, out/x.csv.gz, NONE",
        "out/*.csv, out/sub/x.csv, NONE",
        "out/*.csv, out, BELOW",
        "*, a, MATCHES",
        "*, .hidden, MATCHES",
        "?, é, MATCHES",
        "?, 漢, MATCHES",
        "?, ab, NONE",
        "a*b*c, aXXbYYc, MATCHES",
        "a*b*c, abcbc, MATCHES",
        "a*b*c, acb, NONE",
        "**, a, MATCHES",
        "**, '', BELOW",
        "**/x, x, MATCHES",
        "**/x, a/b/x, MATCHES",
        "**/x, a/b/y, BELOW",
        "a/**/x, a/x, MATCHES",
        "a/**/x, a/b/c/x, MATCHES",
        "a/**/x, b/x, NONE",
        "a/**, a, BELOW",
        "a/**, a/b, MATCHES",
        "**/**/x, x, MATCHES",
        "[ab], a, NONE",
        "[ab], [ab], MATCHES",
        "a\\b, a\\b, MATCHES",
    })
    void patternsMatchPaths(String pattern, String path, PathGlob.Match expected) {
        assertThat(PathGlob.parse(pattern).match(path)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/a", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0b", "//"})
    void patternsOutsideTheWorkspaceAreRefused(String text) {
        assertThatThrownBy(() -> PathGlob.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("relative to the workspace");
    }

    @Test
    void patternsAreLimitedInLength() {
        assertThatThrownBy(() -> PathGlob.parse("a".repeat(1025))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PathGlob.parse("a/".repeat(65))).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"a/b, a/b, true", "a/*.csv, a, false", "a/b/**/c, a/b, false", "*, '', false", "a?/b, '', false"})
    void theLiteralPrefixIsDetermined(String pattern, String folder, boolean literal) {
        assertThat(PathGlob.parse(pattern).literalPath()).isEqualTo(folder);
        assertThat(PathGlob.parse(pattern).isLiteral()).isEqualTo(literal);
    }

    @Test
    void aPatternWithManyStarsIsMatchedQuickly() {
        PathGlob glob = PathGlob.parse("*a".repeat(120) + "b");
        PathGlob deep = PathGlob.parse("**/".repeat(60) + "x");

        org.junit.jupiter.api.Assertions.assertTimeout(Duration.ofSeconds(5), () -> {
            for (int round = 0; round < 1_000; round++) {
                assertThat(glob.match("a".repeat(255))).isEqualTo(PathGlob.Match.NONE);
                assertThat(deep.match("a/".repeat(60) + "y")).isEqualTo(PathGlob.Match.BELOW);
            }
        });
    }
}
