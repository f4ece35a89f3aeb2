package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.LimitKind;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.TimeSpan;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

/**
 * Reads one JSON object field by field. Each error is recorded as a finding under the field's path and the field then
 * reads as absent, so that one pass finds every error.
 */
final class Fields {
    private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final int SHOWN_NAME_CHARS = 64;
    private static final BigInteger LARGEST = BigInteger.valueOf(Long.MAX_VALUE);

    private final String path;
    private final JsonNode object;
    private final Findings findings;

    private Fields(String path, JsonNode object, Findings findings) {
        this.path = path;
        this.object = object;
        this.findings = findings;
    }

    /** The fields of an object; each unknown field is a finding. */
    static Fields of(String path, JsonNode object, Set<String> known, Findings findings) {
        Fields fields = new Fields(path, object, findings);
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                String hint = NearestName.to(name, known)
                        .map(near -> "; did you mean '" + near + "'?")
                        .orElse("");
                findings.add(fields.pathOf(name), "unknown field" + hint);
            }
        });
        return fields;
    }

    /** The path of a field, in the API's notation: {@code limits.memory}, {@code files["a.py"]}. */
    String pathOf(String name) {
        return path(path, name);
    }

    /** The path of a nested field. */
    String pathOf(String name, String child) {
        return path(pathOf(name), child);
    }

    private static String path(String parent, String name) {
        if (PLAIN_NAME.matcher(name).matches()) {
            return parent.isEmpty() ? name : parent + "." + name;
        }
        StringBuilder shown = new StringBuilder(parent).append("[\"");
        name.codePoints().limit(SHOWN_NAME_CHARS).forEach(point -> {
            if (point == '"' || point == '\\') {
                shown.append('\\').appendCodePoint(point);
            } else if (Character.isISOControl(point)) {
                shown.append(String.format("\\u%04x", point));
            } else {
                shown.appendCodePoint(point);
            }
        });
        return shown.append(name.codePointCount(0, name.length()) > SHOWN_NAME_CHARS ? "…\"]" : "\"]")
                .toString();
    }

    boolean has(String name) {
        return object.has(name);
    }

    Optional<String> text(String name) {
        return node(name).flatMap(node -> {
            if (node.isTextual()) {
                return Optional.of(node.textValue());
            }
            return wrongType(pathOf(name), "a string", node);
        });
    }

    /** A text, or a number in its digits. */
    Optional<String> textOrNumber(String name) {
        return node(name).flatMap(node -> {
            if (node.isTextual()) {
                return Optional.of(node.textValue());
            }
            return node.isNumber()
                    ? Optional.of(plain(node.decimalValue()))
                    : wrongType(pathOf(name), "a string or a number", node);
        });
    }

    /** The limits that the object names. */
    Limits limits() {
        Limits named = Limits.NONE;
        for (Limit<?> limit : Limit.ALL) {
            named = withLimit(named, limit);
        }
        return named;
    }

    private <T extends Comparable<T>> Limits withLimit(Limits named, Limit<T> limit) {
        return amount(limit.name(), limit.kind())
                .map(amount -> named.with(limit, amount))
                .orElse(named);
    }

    /** An amount of time. */
    Optional<TimeSpan> time(String name) {
        return amount(name, LimitKind.TIME);
    }

    /** An amount in its notation, whose parser explains what it rejects. */
    private <T extends Comparable<T>> Optional<T> amount(String name, LimitKind<T> kind) {
        return node(name).flatMap(node -> switch (kind.form()) {
            case TEXT -> node.isTextual()
                    ? parsed(name, node.textValue(), kind)
                    : noAmount(name, "a string", node, kind);
            case TEXT_OR_NUMBER -> {
                if (node.isTextual()) {
                    yield parsed(name, node.textValue(), kind);
                }
                yield node.isNumber()
                        ? parsed(name, plain(node.decimalValue()), kind)
                        : noAmount(name, "a string or a number", node, kind);
            }
            case WHOLE_NUMBER -> node.isIntegralNumber()
                    ? parsed(name, Long.toString(clipped(node)), kind)
                    : noAmount(name, "a whole number", node, kind);
        });
    }

    private <T extends Comparable<T>> Optional<T> noAmount(
            String name, String expected, JsonNode actual, LimitKind<T> kind) {
        findings.add(pathOf(name), "must be " + expected + ", not " + describe(actual) + ": " + kind.notation());
        return Optional.empty();
    }

    private <T extends Comparable<T>> Optional<T> parsed(String name, String text, LimitKind<T> kind) {
        try {
            return Optional.of(kind.parse(text));
        } catch (IllegalArgumentException | ArithmeticException refused) {
            findings.add(pathOf(name), String.valueOf(refused.getMessage()));
            return Optional.empty();
        }
    }

    /** Without an exponent, unless the text would then be too long. */
    private static String plain(BigDecimal number) {
        return Math.abs((long) number.scale()) > 64 ? number.toString() : number.toPlainString();
    }

    /** A whole number; numbers beyond a long's range are clamped to it. */
    Optional<Long> wholeNumber(String name) {
        return node(name).flatMap(node -> {
            return node.isIntegralNumber()
                    ? Optional.of(clipped(node))
                    : wrongType(pathOf(name), "a whole number", node);
        });
    }

    private static long clipped(JsonNode whole) {
        return whole.bigIntegerValue().min(LARGEST).max(LARGEST.negate()).longValue();
    }

    /** One of a set of words. */
    <T> Optional<T> word(String name, Map<String, T> words) {
        return text(name).flatMap(text -> {
            T meaning = words.get(text);
            if (meaning == null) {
                findings.add(pathOf(name), "must be one of " + String.join(", ", new TreeMap<>(words).keySet()));
            }
            return Optional.ofNullable(meaning);
        });
    }

    Optional<List<String>> texts(String name) {
        return node(name).flatMap(node -> {
            if (!node.isArray()) {
                return wrongType(pathOf(name), "a list of strings", node);
            }
            List<String> texts = new ArrayList<>();
            for (int index = 0; index < node.size(); index++) {
                JsonNode element = node.path(index);
                if (element.isTextual()) {
                    texts.add(element.textValue());
                } else {
                    wrongType(pathOf(name) + "[" + index + "]", "a string", element);
                }
            }
            return texts.size() == node.size() ? Optional.of(texts) : Optional.empty();
        });
    }

    /** An object with known fields. */
    Optional<Fields> object(String name, Set<String> known) {
        return node(name).flatMap(node -> {
            if (node.isObject()) {
                return Optional.of(Fields.of(pathOf(name), node, known, findings));
            }
            return wrongType(pathOf(name), "an object", node);
        });
    }

    /** A list of objects with known fields, with a maximum length. */
    List<Fields> objects(String name, Set<String> known, int max) {
        return node(name)
                .map(node -> {
                    if (!node.isArray()) {
                        this.<List<Fields>>wrongType(pathOf(name), "a list of objects", node);
                        return List.<Fields>of();
                    }
                    if (node.size() > max) {
                        findings.add(pathOf(name), "has " + node.size() + " entries; at most " + max + " can be given");
                        return List.<Fields>of();
                    }
                    List<Fields> objects = new ArrayList<>();
                    for (int index = 0; index < node.size(); index++) {
                        String at = pathOf(name) + "[" + index + "]";
                        if (node.path(index).isObject()) {
                            objects.add(Fields.of(at, node.path(index), known, findings));
                        } else {
                            wrongType(at, "an object", node.path(index));
                        }
                    }
                    return objects;
                })
                .orElse(List.of());
    }

    /** A required text. */
    Optional<String> requiredText(String name) {
        if (!has(name)) {
            findings.add(pathOf(name), "is required");
        }
        return text(name);
    }

    /** The path of the object itself. */
    String path() {
        return path;
    }

    /** An object with names chosen by the client; calls the visitor with each name and value. */
    void entries(String name, BiConsumer<Entry, JsonNode> visitor) {
        node(name).ifPresent(node -> {
            if (!node.isObject()) {
                wrongType(pathOf(name), "an object", node);
                return;
            }
            for (var entry : node.properties()) {
                visitor.accept(new Entry(entry.getKey(), path(pathOf(name), entry.getKey())), entry.getValue());
            }
        });
    }

    /** A name chosen by the client, and its path for findings. */
    record Entry(String name, String path) {}

    /** The text of an entry. */
    Optional<String> text(Entry entry, JsonNode value) {
        return value.isTextual() ? Optional.of(value.textValue()) : wrongType(entry.path(), "a string", value);
    }

    /** Whether a field is there and is null. */
    boolean isNull(String name) {
        return object.path(name).isNull();
    }

    private Optional<JsonNode> node(String name) {
        JsonNode node = object.path(name);
        if (node.isNull()) {
            findings.add(pathOf(name), "must not be null; a field that is left out gets its default");
            return Optional.empty();
        }
        return node.isMissingNode() ? Optional.empty() : Optional.of(node);
    }

    private <T> Optional<T> wrongType(String at, String expected, JsonNode actual) {
        findings.add(at, "must be " + expected + ", not " + describe(actual));
        return Optional.empty();
    }

    static String describe(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "true or false";
            case NULL -> "null";
            default -> "this";
        };
    }
}
