package dev.vivarium.protocol.run;

/**
 * A measured value and the limit it was compared with, in one unit.
 *
 * @param measured the measured value
 * @param limit the limit of the run, or the operator's threshold where the run has no such limit
 * @param unit what both are counted in
 */
public record Measurement(long measured, long limit, Unit unit) {
    /** The unit of a measured value. */
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
