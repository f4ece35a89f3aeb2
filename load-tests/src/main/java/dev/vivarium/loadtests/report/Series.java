package dev.vivarium.loadtests.report;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A subject's figure for each round of a benchmark, in order: figures of two series with the same index were measured
 * right after each other.
 */
public record Series(List<Duration> rounds) {
    public Series {
        if (rounds.isEmpty()) {
            throw new IllegalArgumentException("nothing was measured");
        }
        rounds = List.copyOf(rounds);
    }

    /** The middle figure, or the mean of the two in the middle. */
    public Duration median() {
        return Duration.ofNanos(
                Math.round(Medians.of(rounds.stream().map(Duration::toNanos).toList())));
    }

    /**
     * The smallest figure such that at least this share of all is not above it (nearest rank); always a measured one.
     */
    public Duration percentile(double percent) {
        if (percent <= 0 || percent > 100) {
            throw new IllegalArgumentException("a percentile is above 0 and at most 100, not " + percent);
        }
        List<Duration> sorted = rounds.stream().sorted().toList();
        int rank = (int) Math.ceil(percent / 100 * sorted.size());
        return sorted.get(rank - 1);
    }

    public Duration min() {
        return rounds.stream().min(Duration::compareTo).orElseThrow();
    }

    public Duration max() {
        return rounds.stream().max(Duration::compareTo).orElseThrow();
    }

    /** This median divided by the other's. */
    public double ratioOfMedians(Series other) {
        return (double) median().toNanos() / other.median().toNanos();
    }

    /**
     * The median of the rounds' ratios. A machine whose speed varies affects both figures of a round alike, so this is
     * more reliable than the ratio of medians where the two differ.
     */
    public double medianOfRatios(Series other) {
        if (other.rounds.size() != rounds.size()) {
            throw new IllegalArgumentException("the series were not measured in the same rounds");
        }
        return Medians.of(IntStream.range(0, rounds.size())
                .mapToObj(round -> (double) rounds.get(round).toNanos()
                        / other.rounds.get(round).toNanos())
                .toList());
    }
}
