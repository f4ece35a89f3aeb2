package dev.vivarium.node.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VersionTest {
    @Test
    void candidatesPrecedeReleasesAndNumbersCompareAsNumbers() {
        List<Version> inOrder = Stream.of(
                        "0",
                        "1.0.0-rc7",
                        "1.0.0~rc93+ds1-5",
                        "1.0.0-rc95",
                        "1.0",
                        "1.1.5",
                        "1.1.12",
                        "1.2.0-rc.1",
                        "1.2.0-rc.3",
                        "1.2",
                        "1.20",
                        "2.0.0-beta.0",
                        "2.0.0")
                .map(VersionTest::version)
                .toList();

        assertThat(inOrder).isSorted().doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({
        "1.1.5+ds1-1+deb12u1, 1.1.5",
        "v29.5.1, 29.5.1",
        "1.6.20~ds1, 1.6.20",
        "6.18.44-fc-v782, 6.18.44",
        "0.0~20221219.0-2+b3, 20221219",
        "release-20240729.0, 20240729",
        "1.3.0, 1.3"
    })
    void suffixesOfThePackagerAreIgnored(String packaged, String same) {
        assertThat(version(packaged)).isEqualByComparingTo(version(same));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "unknown", "VERSION_MISSING", "v", "1234567890123", "-1"})
    void textThatIsNoVersionIsRejected(String text) {
        assertThat(Version.of(text)).isEmpty();
    }

    @Test
    void aRangeIncludesItsBeginningAndExcludesItsEnd() {
        VersionRange range = VersionRange.of("1.3.0-rc.1 .. 1.3.3");

        assertThat(range.contains(version("1.3.0-rc.1"))).isTrue();
        assertThat(range.contains(version("1.3.2+something"))).isTrue();
        assertThat(range.contains(version("1.3.3"))).isFalse();
        assertThat(range.contains(version("1.2.8"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "1.1.5+ds1-1+deb12u1, true",
        "1.1.5+ds1-1+deb12u2, true",
        "1.1.5+ds1-1+deb12u10, true",
        "1.1.5+ds1-1+deb12u1+b6, true",
        "2:1.1.5+ds1-1+deb12u1, true",
        "1.1.5+ds1-1, false",
        "1.1.5+ds1-1+deb12u0, false",
        "1.1.5+ds1-4, false",
        "1.1.7-0ubuntu1~22.04.2, false"
    })
    void onlyALaterRevisionOfTheSameSeriesIsFixed(String installed, boolean mended) {
        assertThat(PackageVersion.isAtLeast(installed, "1.1.5+ds1-1+deb12u1")).isEqualTo(mended);
    }

    private static Version version(String text) {
        return Version.of(text).orElseThrow();
    }
}
