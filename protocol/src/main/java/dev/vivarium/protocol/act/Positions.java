package dev.vivarium.protocol.act;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Positions of the order over all runs, as rising ranges; as text {@code 3-7,9}. An administrative act says by them which
 * events it has deleted, in its field {@value #FIELD}.
 */
public record Positions(List<Range> ranges) {
    /** The name of the act that deletes events. */
    public static final String ACT = "RunsDeleted";

    private static final String FIELD = "positions";
    private static final String BEFORE = "\"" + FIELD + "\":\"";
    /** With which the ids of acts begin, and those of runs do not. */
    private static final String ACT_ID = "7";

    private static final Pattern RANGE = Pattern.compile("(\\d{1,18})(?:-(\\d{1,18}))?");

    /** From a position up to another one, which is among them. */
    public record Range(long first, long last) {
        public Range {
            if (first < 0 || last < first) {
                throw new IllegalArgumentException("A range begins with its lower position.");
            }
        }

        @Override
        public String toString() {
            return first == last ? String.valueOf(first) : first + "-" + last;
        }
    }

    public Positions {
        ranges = List.copyOf(ranges);
        for (int i = 1; i < ranges.size(); i++) {
            if (ranges.get(i).first() <= ranges.get(i - 1).last()) {
                throw new IllegalArgumentException("Ranges of positions rise, and do not overlap.");
            }
        }
    }

    /** These positions, whatever their order. */
    public static Positions of(Collection<Long> positions) {
        List<Range> ranges = new ArrayList<>();
        for (long position : new TreeSet<>(positions)) {
            int last = ranges.size() - 1;
            if (last >= 0 && ranges.get(last).last() == position - 1) {
                ranges.set(last, new Range(ranges.get(last).first(), position));
            } else {
                ranges.add(new Range(position, position));
            }
        }
        return new Positions(ranges);
    }

    /**
     * Reads the text.
     *
     * @throws IllegalArgumentException when it is none
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Positions parse(String text) {
        List<Range> ranges = new ArrayList<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            var range = RANGE.matcher(part);
            if (!range.matches()) {
                throw new IllegalArgumentException("must be ranges of positions such as 3-7,9");
            }
            long first = Long.parseLong(range.group(1));
            ranges.add(new Range(first, range.group(2) == null ? first : Long.parseLong(range.group(2))));
        }
        return new Positions(ranges);
    }

    /**
     * What an event says was deleted; empty when it is no such act, or one that this version cannot read. A quote within
     * a text of JSON has a backslash before it, so the field's name with its quotes stands nowhere else.
     *
     * @param chain the id of its run, or its own, if it is an act
     * @param payload begins with its content
     * @param length how many bytes the content has
     */
    public static Optional<Positions> deletedBy(String chain, String type, byte[] payload, int length) {
        if (!type.equals(ACT) || !chain.startsWith(ACT_ID)) {
            return Optional.empty();
        }
        String text = new String(payload, 0, length, StandardCharsets.ISO_8859_1);
        int at = text.indexOf(BEFORE);
        int end = at < 0 ? -1 : text.indexOf('"', at + BEFORE.length());
        try {
            return end < 0 ? Optional.empty() : Optional.of(parse(text.substring(at + BEFORE.length(), end)));
        } catch (IllegalArgumentException none) {
            return Optional.empty();
        }
    }

    /** How many there are. */
    public long count() {
        return ranges.stream()
                .mapToLong(range -> range.last() - range.first() + 1)
                .sum();
    }

    /** Whether all of the other ones are among these. */
    public boolean haveAll(Positions others) {
        return others.ranges.stream().allMatch(other -> ranges.stream()
                .anyMatch(range -> range.first() <= other.first() && other.last() <= range.last()));
    }

    /** Whether there are any before this one. */
    public boolean beginBefore(long position) {
        return !ranges.isEmpty() && ranges.get(0).first() < position;
    }

    @JsonValue
    @Override
    public String toString() {
        return ranges.stream().map(Range::toString).collect(Collectors.joining(","));
    }
}
