package dev.vivarium.protocol.run;

import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * The kind of a limit's amounts: their notation, and the unit in which they are measured.
 *
 * @param <T> the type of its amounts
 */
public final class LimitKind<T extends Comparable<T>> {
    /** An amount of time, measured in milliseconds. */
    public static final LimitKind<TimeSpan> TIME = new LimitKind<>(
            "TIME",
            Form.TEXT,
            "a time such as 5m, 90s, 1h30m or 250ms",
            TimeSpan::parse,
            TimeSpan::millis,
            Measurement.Unit.MILLIS);

    /** An amount of bytes. */
    public static final LimitKind<ByteSize> SIZE = new LimitKind<>(
            "SIZE",
            Form.TEXT_OR_NUMBER,
            "a size such as 256Mi, 1Gi or 1048576 (bytes)",
            ByteSize::parse,
            ByteSize::bytes,
            Measurement.Unit.BYTES);

    /** A share of processor time, counted in thousandths of a core. */
    public static final LimitKind<CpuQuota> CORES = new LimitKind<>(
            "CORES",
            Form.TEXT_OR_NUMBER,
            "a share of cores such as 500m, 1 or 1.5",
            CpuQuota::parse,
            CpuQuota::millicores,
            Measurement.Unit.COUNT);

    /** A number of things. */
    public static final LimitKind<Long> COUNT = new LimitKind<>(
            "COUNT",
            Form.WHOLE_NUMBER,
            "a count such as 128",
            LimitKind::parseCount,
            Long::longValue,
            Measurement.Unit.COUNT);

    private final String label;
    private final Form form;
    private final String notation;
    private final Function<String, T> parser;
    private final ToLongFunction<T> amount;
    private final Measurement.Unit unit;

    /** How amounts are written in JSON. */
    public enum Form {
        /** A string in a notation that names the unit. */
        TEXT,
        /** A string, or a number for its digits. */
        TEXT_OR_NUMBER,
        /** A whole number. */
        WHOLE_NUMBER
    }

    private LimitKind(
            String label,
            Form form,
            String notation,
            Function<String, T> parser,
            ToLongFunction<T> amount,
            Measurement.Unit unit) {
        this.label = label;
        this.form = form;
        this.notation = notation;
        this.parser = parser;
        this.amount = amount;
        this.unit = unit;
    }

    /** The placeholder of an amount in the help of the command line. */
    public String label() {
        return label;
    }

    /** How amounts are written in JSON. */
    public Form form() {
        return form;
    }

    /** The notation with an example, to complete the words "must be". */
    public String notation() {
        return notation;
    }

    /**
     * Parses an amount.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is no such amount
     */
    public T parse(String text) {
        return parser.apply(text);
    }

    /** The amount as a number of {@link #unit units}. */
    public long amount(T value) {
        return amount.applyAsLong(value);
    }

    /** The unit of amounts. */
    public Measurement.Unit unit() {
        return unit;
    }

    /** Accepts any whole number. Negative ones are below every limit's smallest value and refused for that. */
    private static Long parseCount(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException notWhole) {
            throw new IllegalArgumentException("must be a count, a whole number such as 128", notWhole);
        }
    }
}
