package dev.vivarium.terminal;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.util.Locale;

/** Times, sizes and measurements as readable text. */
public final class Amounts {
    private static final String[] SIZE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Amounts() {}

    /** A time with three significant digits or whole seconds: {@code 250 ms}, {@code 5.003 s}, {@code 2 m 05 s}. */
    public static String time(Duration time) {
        long millis = Math.max(0, time.toMillis());
        if (millis < 1_000) {
            return millis + " ms";
        }
        if (millis < 60_000) {
            return trimmed(String.format(Locale.ROOT, "%.3f", millis / 1_000.0)) + " s";
        }
        if (millis < 3_600_000) {
            return String.format(Locale.ROOT, "%d m %02d s", millis / 60_000, millis / 1_000 % 60);
        }
        return String.format(Locale.ROOT, "%d h %02d m", millis / 3_600_000, millis / 60_000 % 60);
    }

    /** A time in one short word, for columns: {@code 5s}, {@code 12m}, {@code 3h}, {@code 4d}. */
    public static String age(Duration age) {
        long seconds = Math.max(0, age.toSeconds());
        if (seconds < 120) {
            return seconds + "s";
        }
        if (seconds < 7_200) {
            return seconds / 60 + "m";
        }
        return seconds < 172_800 ? seconds / 3_600 + "h" : seconds / 86_400 + "d";
    }

    /** A size with a binary unit: {@code 64 MiB}, {@code 12.3 MiB}, {@code 17 B}. */
    public static String size(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= 1_024 && unit < SIZE_UNITS.length - 1) {
            amount /= 1_024;
            unit++;
        }
        String digits = unit == 0 ? Long.toString(bytes) : trimmed(String.format(Locale.ROOT, "%.1f", amount));
        return digits + " " + SIZE_UNITS[unit];
    }

    /** A measurement and its limit: {@code 5.003 s (limit 5 s)}. */
    public static String measurement(Measurement measurement) {
        return amount(measurement.measured(), measurement.unit()) + " (limit "
                + amount(measurement.limit(), measurement.unit()) + ")";
    }

    /** The used amount of a limit. */
    public static String used(Usage usage, Limit<?> limit) {
        return amount(usage.get(limit), limit.kind().unit());
    }

    private static String amount(long value, Measurement.Unit unit) {
        return switch (unit) {
            case MILLIS -> time(Duration.ofMillis(value));
            case BYTES -> size(value);
            case BYTES_PER_SECOND -> size(value) + "/s";
            case COUNT -> Long.toString(value);
        };
    }

    private static String trimmed(String decimal) {
        return decimal.replaceFirst("\\.?0+$", "");
    }
}
