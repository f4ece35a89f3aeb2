package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A limit of time in the notation of Kubernetes and Go: {@code 5m}, {@code 90s}, {@code 1h30m}, {@code 250ms}.
 * Millisecond resolution.
 *
 * @param duration the time, zero or more
 */
public record TimeSpan(Duration duration) implements Comparable<TimeSpan> {
    private static final Pattern SHAPE =
            Pattern.compile("(?=.)(?:(\\d{1,6})h)?(?:(\\d{1,9})m(?!s))?(?:(\\d{1,9})s)?(?:(\\d{1,12})ms)?");

    public TimeSpan {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("A time cannot be negative.");
        }
    }

    /**
     * Parses Go's notation.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is not a time
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static TimeSpan parse(String text) {
        Matcher matcher = SHAPE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("must be a time such as 5m, 90s, 1h30m or 250ms");
        }
        return new TimeSpan(Duration.ofHours(part(matcher, 1))
                .plusMinutes(part(matcher, 2))
                .plusSeconds(part(matcher, 3))
                .plusMillis(part(matcher, 4)));
    }

    public static TimeSpan ofSeconds(long seconds) {
        return new TimeSpan(Duration.ofSeconds(seconds));
    }

    private static long part(Matcher matcher, int group) {
        return matcher.group(group) == null ? 0 : Long.parseLong(matcher.group(group));
    }

    public long millis() {
        return duration.toMillis();
    }

    @Override
    public int compareTo(TimeSpan other) {
        return duration.compareTo(other.duration);
    }

    /** Hours, minutes, seconds and milliseconds, which {@link #parse} reads back to the same time. */
    @JsonValue
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        append(text, duration.toHours(), "h");
        append(text, duration.toMinutesPart(), "m");
        append(text, duration.toSecondsPart(), "s");
        append(text, duration.toMillisPart(), "ms");
        return text.isEmpty() ? "0s" : text.toString();
    }

    private static void append(StringBuilder text, long amount, String unit) {
        if (amount != 0) {
            text.append(amount).append(unit);
        }
    }
}
