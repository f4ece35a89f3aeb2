package dev.vivarium.protocol.run;

/**
 * What was measured against which limit, both in the same unit.
 *
 * @param measured the value seen
 * @param limit the limit of the run, or the operator's threshold where a run has none of its own
 * @param unit what both are counted in
 */
public record Measurement(long measured, long limit, Unit unit) {
    /** What a measured value is counted in. */
    public enum Unit {
        MILLIS,
        BYTES,
        BYTES_PER_SECOND,
        COUNT
    }

    public static Measurement millis(long measured, long limit) {
        return new Measurement(measured, limit, Unit.MILLIS);
    }

    public static Measurement bytes(long measured, long limit) {
        return new Measurement(measured, limit, Unit.BYTES);
    }

    public static Measurement bytesPerSecond(long measured, long limit) {
        return new Measurement(measured, limit, Unit.BYTES_PER_SECOND);
    }

    public static Measurement count(long measured, long limit) {
        return new Measurement(measured, limit, Unit.COUNT);
    }
}
