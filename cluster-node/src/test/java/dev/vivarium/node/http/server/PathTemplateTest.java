package dev.vivarium.node.http.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PathTemplateTest {
    private static final PathTemplate CANCEL = PathTemplate.of("/v1/runs/{id}/cancel");

    @Test
    void aMatchingPathYieldsItsParameters() {
        assertThat(CANCEL.match(List.of("v1", "runs", "a b", "cancel"))).contains(Map.of("id", "a b"));
        assertThat(PathTemplate.of("/v1/runs").match(List.of("v1", "runs"))).contains(Map.of());
    }

    @Test
    void severalParametersKeepTheirNames() {
        assertThat(PathTemplate.of("/v1/runs/{id}/processes/{process}")
                        .match(List.of("v1", "runs", "r", "processes", "2")))
                .contains(Map.of("id", "r", "process", "2"));
    }

    @Test
    void aLastParameterMayMatchTheRestOfThePath() {
        PathTemplate files = PathTemplate.of("/v1/runs/{id}/artifacts/{path*}");

        assertThat(files.match(List.of("v1", "runs", "r", "artifacts", "a"))).contains(Map.of("id", "r", "path", "a"));
        assertThat(files.match(List.of("v1", "runs", "r", "artifacts", "a", "b c")))
                .contains(Map.of("id", "r", "path", "a/b c"));
        assertThat(files.match(List.of("v1", "runs", "r", "artifacts"))).isEmpty();
        assertThat(files).hasToString("/v1/runs/{id}/artifacts/{path}");
        assertThatThrownBy(() -> PathTemplate.of("/v1/{path*}/x")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void otherPathsDoNotMatch() {
        assertThat(CANCEL.match(List.of("v1", "runs", "a"))).isEmpty();
        assertThat(CANCEL.match(List.of("v1", "runs", "a", "cancel", "now"))).isEmpty();
        assertThat(CANCEL.match(List.of("v1", "runs", "a", "output"))).isEmpty();
    }

    @Test
    void aTemplateIsPrintedAsItWasParsed() {
        assertThat(CANCEL).hasToString("/v1/runs/{id}/cancel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "v1/runs", "/v1/", "/v1//runs", "/v1/{id", "/v1/a{id}"})
    void invalidTemplatesAreRefused(String text) {
        assertThatThrownBy(() -> PathTemplate.of(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
