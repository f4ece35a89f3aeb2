package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of memory, disk or output, written in Kubernetes' notation: {@code 256Mi}, {@code 1Gi}, {@code 500k} or
 * plain bytes.
 *
 * @param bytes the amount in bytes, zero or more
 */
public record ByteSize(long bytes) implements Comparable<ByteSize> {
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,15}(?:\\.\\d{1,3})?)(Ki|Mi|Gi|Ti|k|M|G|T)?");
    private static final Map<String, Long> UNIT_BYTES = Map.of(
            "Ki",
            1L << 10,
            "Mi",
            1L << 20,
            "Gi",
            1L << 30,
            "Ti",
            1L << 40,
            "k",
            1_000L,
            "M",
            1_000_000L,
            "G",
            1_000_000_000L,
            "T",
            1_000_000_000_000L);

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("A size cannot be negative.");
        }
    }

    /**
     * Parses Kubernetes' notation.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is not a size
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static ByteSize parse(String text) {
        Matcher matcher = SHAPE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("must be a size such as 256Mi, 1Gi or 1048576");
        }
        long unit = matcher.group(2) == null ? 1 : UNIT_BYTES.getOrDefault(matcher.group(2), 1L);
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit));
        if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException("is larger than any machine");
        }
        return new ByteSize(bytes.longValue());
    }

    public static ByteSize ofMebibytes(long mebibytes) {
        return new ByteSize(Math.multiplyExact(mebibytes, 1L << 20));
    }

    public ByteSize plus(ByteSize other) {
        return new ByteSize(Math.addExact(bytes, other.bytes));
    }

    @Override
    public int compareTo(ByteSize other) {
        return Long.compare(bytes, other.bytes);
    }

    /** The shortest exact notation with a binary unit, which {@link #parse} reads back to the same size. */
    @JsonValue
    @Override
    public String toString() {
        if (bytes != 0 && bytes % (1L << 30) == 0) {
            return (bytes >> 30) + "Gi";
        }
        if (bytes != 0 && bytes % (1L << 20) == 0) {
            return (bytes >> 20) + "Mi";
        }
        if (bytes != 0 && bytes % (1L << 10) == 0) {
            return (bytes >> 10) + "Ki";
        }
        return Long.toString(bytes);
    }
}
