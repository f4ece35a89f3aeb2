package dev.vivarium.loadtests.report;

import java.time.Duration;
import java.util.Locale;

/** Formats figures independently of the machine's locale. */
public final class Figures {
    private static final double NANOS_PER_MILLI = 1e6;

    private Figures() {}

    /** In milliseconds with one decimal. */
    public static String millis(Duration duration) {
        return String.format(Locale.ROOT, "%.1f", duration.toNanos() / NANOS_PER_MILLI);
    }

    public static String ratio(double ratio) {
        return String.format(Locale.ROOT, "%.2fx", ratio);
    }

    public static String perSecond(double rate) {
        return String.format(Locale.ROOT, "%.2f", rate);
    }
}
