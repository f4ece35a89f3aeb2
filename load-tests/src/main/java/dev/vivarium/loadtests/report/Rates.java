package dev.vivarium.loadtests.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Rates of several subjects at several numbers in flight. The median of repeated measurements counts. */
public final class Rates {
    private final Map<Kind, List<Double>> perSecond = new TreeMap<>();

    private record Kind(String subject, int inFlight) implements Comparable<Kind> {
        @Override
        public int compareTo(Kind other) {
            return Comparator.comparing(Kind::subject)
                    .thenComparing(Kind::inFlight)
                    .compare(this, other);
        }
    }

    public void add(String subject, int inFlight, double rate) {
        perSecond
                .computeIfAbsent(new Kind(subject, inFlight), first -> new ArrayList<>())
                .add(rate);
    }

    /** The subject's highest median rate. */
    public double best(String subject) {
        return perSecond.entrySet().stream()
                .filter(entry -> entry.getKey().subject().equals(subject))
                .mapToDouble(entry -> Medians.of(entry.getValue()))
                .max()
                .orElseThrow(() -> new IllegalArgumentException("nothing was measured of " + subject));
    }

    /** A row for each subject and number in flight. */
    public String table() {
        TextTable table = new TextTable("sandboxes a second", "in flight", "min", "median", "max");
        perSecond.forEach((kind, rates) -> table.row(
                kind.subject(),
                Integer.toString(kind.inFlight()),
                Figures.perSecond(rates.stream().min(Double::compare).orElseThrow()),
                Figures.perSecond(Medians.of(rates)),
                Figures.perSecond(rates.stream().max(Double::compare).orElseThrow())));
        return table.render();
    }
}
