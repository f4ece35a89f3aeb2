package dev.vivarium.node.admission;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Reads the field {@code labels} of an object. */
final class LabelFields {
    private static final int MAX_LABELS = 64;
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?");
    private static final Pattern VALUE = Pattern.compile("[^\\p{Cc}]{0,255}");

    private LabelFields() {}

    /** The labels, which the caller may change. */
    static Map<String, String> read(Fields fields, Findings findings) {
        Map<String, String> labels = new TreeMap<>();
        fields.entries("labels", (entry, node) -> {
            if (!KEY.matcher(entry.name()).matches()) {
                findings.add(
                        entry.path(),
                        "a label's key must be 1 to 63 letters, digits, '.', '_', '/' or '-', and begin and end"
                                + " with a letter or digit");
            }
            fields.text(entry, node).ifPresent(value -> {
                if (!VALUE.matcher(value).matches()) {
                    findings.add(
                            entry.path(),
                            "a label's value must be at most 255 characters and contain no control characters");
                }
                labels.put(entry.name(), value);
            });
        });
        if (labels.size() > MAX_LABELS) {
            findings.add(fields.pathOf("labels"), "are " + labels.size() + "; at most " + MAX_LABELS + " can be given");
        }
        return labels;
    }
}
