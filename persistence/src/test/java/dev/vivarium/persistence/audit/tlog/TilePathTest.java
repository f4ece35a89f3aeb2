package dev.vivarium.persistence.audit.tlog;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The paths of C2SP tlog-tiles, by the examples of its page. */
class TilePathTest {
    @ParameterizedTest
    @CsvSource({
        "0/x001/x234/067, 0, 1234067, 256",
        "0/000, 0, 0, 256",
        "0/273.p/112, 0, 273, 112",
        "1/001.p/17, 1, 1, 17",
        "2/000.p/1, 2, 0, 1",
        "7/999.p/255, 7, 999, 255",
        "0/x001/000, 0, 1000, 256",
    })
    void aPathNamesLevelIndexAndWidth(String path, int level, long index, int width) {
        assertThat(TilePath.parse(path)).contains(new TilePath(level, index, width));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "0/",
                "/0/000",
                "0/0",
                "0/0000",
                "0/x000/001",
                "0/x001/x234/067/",
                "0/001/234",
                "0/x1/234",
                "00/000",
                "01/000",
                "-1/000",
                "8/000",
                "64/000",
                "0/000.p/0",
                "0/000.p/256",
                "0/000.p/01",
                "0/000.p/",
                "0/000.p",
                "0/000.p/1/2",
                "entries/000",
                "0/x999/x999/x999/x999/x999/x999/999",
                "0/\u0661\u0661\u0661",
                "0/000\n",
                "0/../000"
            })
    void everythingElseIsNone(String path) {
        assertThat(TilePath.parse(path)).isEmpty();
    }

    @Test
    void aTreeOf70000LeavesHasTheTilesThatThePageSays() {
        long size = 70_000;
        assertThat(new TilePath(0, 272, 256).isIn(size)).isTrue();
        assertThat(new TilePath(0, 273, 112).isIn(size)).isTrue();
        assertThat(new TilePath(0, 273, 113).isIn(size)).isFalse();
        assertThat(new TilePath(1, 0, 256).isIn(size)).isTrue();
        assertThat(new TilePath(1, 1, 17).isIn(size)).isTrue();
        assertThat(new TilePath(1, 1, 18).isIn(size)).isFalse();
        assertThat(new TilePath(2, 0, 1).isIn(size)).isTrue();
        assertThat(new TilePath(2, 0, 2).isIn(size)).isFalse();
        assertThat(new TilePath(3, 0, 1).isIn(size)).isFalse();
        assertThat(new TilePath(0, Long.MAX_VALUE / 2, 256).isIn(size)).isFalse();
    }
}
