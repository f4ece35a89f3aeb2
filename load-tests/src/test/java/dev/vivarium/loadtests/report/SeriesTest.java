package dev.vivarium.loadtests.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SeriesTest {
    @Test
    void theMedianIsTheMiddleFigureWhateverTheOrder() {
        assertThat(millis(30, 10, 20).median()).isEqualTo(Duration.ofMillis(20));
    }

    @Test
    void theMedianOfAnEvenCountLiesBetweenTheMiddleTwo() {
        assertThat(millis(40, 10, 20, 30).median()).isEqualTo(Duration.ofMillis(25));
    }

    @Test
    void percentilesAreMeasuredFigures() {
        Series hundred = millis(IntStream.rangeClosed(1, 100).map(n -> 101 - n).toArray());

        assertThat(hundred.percentile(90)).isEqualTo(Duration.ofMillis(90));
        assertThat(hundred.percentile(99)).isEqualTo(Duration.ofMillis(99));
        assertThat(hundred.percentile(99.5)).isEqualTo(Duration.ofMillis(100));
        assertThat(hundred.percentile(0.1)).isEqualTo(Duration.ofMillis(1));
    }

    @Test
    void aHighPercentileOfFewFiguresIsTheLargest() {
        assertThat(millis(5, 9, 7).percentile(99)).isEqualTo(Duration.ofMillis(9));
    }

    @Test
    void aPercentileOutsideItsRangeIsRefused() {
        Series one = millis(1);

        assertThatIllegalArgumentException().isThrownBy(() -> one.percentile(0));
        assertThatIllegalArgumentException().isThrownBy(() -> one.percentile(100.1));
    }

    @Test
    void minAndMaxAreTheSmallestAndTheLargestFigure() {
        assertThat(millis(5, 9, 7).min()).isEqualTo(Duration.ofMillis(5));
        assertThat(millis(5, 9, 7).max()).isEqualTo(Duration.ofMillis(9));
    }

    @Test
    void theRatioOfMediansIsRelativeToTheOther() {
        assertThat(millis(20, 30, 40).ratioOfMedians(millis(10, 20, 30))).isCloseTo(1.5, within(1e-9));
    }

    @Test
    void aMachineThatSlowsDownDoesNotChangeTheMedianOfRatios() {
        Series ours = millis(12, 24, 120);
        Series theirs = millis(10, 20, 100);

        assertThat(ours.medianOfRatios(theirs)).isCloseTo(1.2, within(1e-9));
    }

    @Test
    void ratiosOfRoundsNeedTheSameRounds() {
        assertThatIllegalArgumentException().isThrownBy(() -> millis(1, 2).medianOfRatios(millis(1)));
    }

    @Test
    void aSeriesNeedsAMeasurement() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Series(List.of()));
    }

    private static Series millis(int... millis) {
        return new Series(IntStream.of(millis).mapToObj(Duration::ofMillis).toList());
    }
}
