package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A share of processor time, in Kubernetes' notation: {@code 500m} is half a core, {@code 2} is two cores.
 *
 * @param millicores thousandths of a core, zero or more
 */
public record CpuQuota(long millicores) implements Comparable<CpuQuota> {
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,9})m|(\\d{1,6}(?:\\.\\d{1,3})?)");

    public CpuQuota {
        if (millicores < 0) {
            throw new IllegalArgumentException("A share of processor time cannot be negative.");
        }
    }

    /**
     * Parses Kubernetes' notation.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is not a share of processor time
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static CpuQuota parse(String text) {
        Matcher matcher = SHAPE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("must be a share of cores such as 500m, 1 or 1.5");
        }
        if (matcher.group(1) != null) {
            return new CpuQuota(Long.parseLong(matcher.group(1)));
        }
        return new CpuQuota(new BigDecimal(matcher.group(2)).movePointRight(3).longValueExact());
    }

    @Override
    public int compareTo(CpuQuota other) {
        return Long.compare(millicores, other.millicores);
    }

    @JsonValue
    @Override
    public String toString() {
        return millicores != 0 && millicores % 1000 == 0 ? Long.toString(millicores / 1000) : millicores + "m";
    }
}
