package dev.vivarium.loadtests.report;

import java.util.List;

/** Medians. */
public final class Medians {
    private Medians() {}

    /** The middle figure, or the mean of the two in the middle. */
    public static double of(List<? extends Number> figures) {
        if (figures.isEmpty()) {
            throw new IllegalArgumentException("nothing was measured");
        }
        List<Double> sorted = figures.stream().map(Number::doubleValue).sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
