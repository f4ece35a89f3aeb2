package dev.vivarium.protocol.egress;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Ports of a destination, written {@code 443,8443,9000-9100}.
 *
 * @param ranges at least one and at most {@value #RANGES_MAX}; sorted, with overlapping and adjacent ranges merged
 */
public record Ports(List<Range> ranges) {
    /** The most ranges of one destination; a single port counts as one. */
    public static final int RANGES_MAX = 32;

    /** HTTP and HTTPS, the default ports. */
    public static final Ports WEB = new Ports(List.of(new Range(80, 80), new Range(443, 443)));

    private static final Pattern RANGE = Pattern.compile("([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?");
    private static final int PORT_MAX = 65535;

    /**
     * A range of ports.
     *
     * @param first from 1
     * @param last from first to 65535
     */
    public record Range(int first, int last) {
        public Range {
            if (first < 1 || last > PORT_MAX || first > last) {
                throw new IllegalArgumentException("has ports that are not from 1 to " + PORT_MAX
                        + ", or a range that ends before it begins: write 443 or 8000-8100");
            }
        }
    }

    public Ports {
        if (ranges.isEmpty() || ranges.size() > RANGES_MAX) {
            throw new IllegalArgumentException(
                    "must have 1 to " + RANGES_MAX + " ports or ranges of ports, such as 443,8000-8100");
        }
        ranges = merged(ranges);
    }

    /**
     * Parses comma-separated ports and ranges.
     *
     * @throws IllegalArgumentException with a predicate to follow the field's name
     */
    public static Ports parse(String text) {
        List<Range> ranges = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Matcher matcher = RANGE.matcher(part);
            if (!matcher.matches()) {
                throw new IllegalArgumentException(
                        "must have ports after its colon, separated by commas and without spaces, such as 443,8000-8100");
            }
            int first = Integer.parseInt(matcher.group(1));
            ranges.add(new Range(first, matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2))));
        }
        return new Ports(ranges);
    }

    /** Whether the port is in one of the ranges. */
    public boolean contains(int port) {
        return ranges.stream().anyMatch(range -> range.first <= port && port <= range.last);
    }

    @Override
    public String toString() {
        return ranges.stream()
                .map(range -> range.first == range.last ? "" + range.first : range.first + "-" + range.last)
                .collect(Collectors.joining(","));
    }

    private static List<Range> merged(List<Range> ranges) {
        List<Range> merged = new ArrayList<>();
        for (Range next :
                ranges.stream().sorted(Comparator.comparingInt(Range::first)).toList()) {
            int before = merged.size() - 1;
            if (before >= 0 && next.first <= merged.get(before).last + 1) {
                Range previous = merged.get(before);
                merged.set(before, new Range(previous.first, Math.max(previous.last, next.last)));
            } else {
                merged.add(next);
            }
        }
        return List.copyOf(merged);
    }
}
