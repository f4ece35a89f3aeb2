package dev.vivarium.node.admission;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parses hostile bytes to a JSON tree, or to a sentence saying why not. Stricter than a JSON parser's defaults: UTF-8
 * must be valid, names must be unique within an object, nothing may follow the value, and depth, lengths and the number
 * of values are limited, so that a tree takes little more memory than its body. A byte order mark is skipped (RFC 8259,
 * section 8.1). Sentences quote field names at most, since values could be secrets.
 */
final class StrictJson {
    /** The deepest valid path is files -> path -> base64. */
    static final int MAX_DEPTH = 16;

    private static final int MAX_NAME_CHARS = 4_096;
    private static final int MAX_NUMBER_CHARS = 64;
    /**
     * Names, values, and ends of objects and arrays. A node of the tree takes up to 100 bytes for the 3 bytes of {@code {},}
     * in a body. Far more than a submission needs: it has at most 1000 files, and arguments of 512 KiB together.
     */
    static final int MAX_TOKENS = 100_000;

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
    private static final Pattern DUPLICATE = Pattern.compile("Duplicate field '(.{0,100})'.*", Pattern.DOTALL);

    /** The parser's own objection, which it has to names only. */
    private static final Pattern HALF_A_PAIR_IN_A_NAME =
            Pattern.compile("(Unexpected low surrogate|Broken surrogate pair) in field name.*", Pattern.DOTALL);

    private static final String HALF_A_PAIR =
            "A string of the body contains half of a surrogate pair (\\ud800 to \\udfff).";

    private final ObjectReader reader;

    /** @param maxStringChars the longest string; the size of the largest body, since a single file may fill it */
    StrictJson(int maxStringChars) {
        // Recycled buffers stay with their thread, and so would the secrets in them.
        JsonFactory factory = JsonFactory.builder()
                .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_CHARS)
                        .maxNameLength(MAX_NAME_CHARS)
                        .maxStringLength(maxStringChars)
                        .maxTokenCount(MAX_TOKENS)
                        .build())
                .build();
        JsonMapper mapper = JsonMapper.builder(factory)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .build();
        this.reader = mapper.readerFor(JsonNode.class);
    }

    /** The result: a tree or a sentence. */
    sealed interface Parsed {
        record Tree(JsonNode root) implements Parsed {}

        record Malformed(String sentence) implements Parsed {}
    }

    /** Parses a body that has to be an object. */
    Parsed parseObject(byte[] body) {
        Parsed parsed = parse(body);
        return parsed instanceof Parsed.Tree tree && !tree.root().isObject()
                ? new Parsed.Malformed("The body must be a JSON object, not " + Fields.describe(tree.root()) + ".")
                : parsed;
    }

    Parsed parse(byte[] body) {
        if (body.length == 0) {
            return new Parsed.Malformed("The body is empty: send a JSON object.");
        }
        CharBuffer text = CharBuffer.allocate(body.length);
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer bytes = ByteBuffer.wrap(body);
        bytes.position(hasByteOrderMark(body) ? BYTE_ORDER_MARK.length : 0);
        CoderResult decoded = decoder.decode(bytes, text, true);
        if (decoded.isError()) {
            return new Parsed.Malformed(
                    "The body is not valid UTF-8 at byte " + bytes.position() + ": JSON must be sent as UTF-8.");
        }
        return parse(text.flip().toString());
    }

    private static boolean hasByteOrderMark(byte[] body) {
        return body.length >= BYTE_ORDER_MARK.length
                && Arrays.equals(body, 0, BYTE_ORDER_MARK.length, BYTE_ORDER_MARK, 0, BYTE_ORDER_MARK.length);
    }

    private Parsed parse(String text) {
        try {
            JsonNode root = reader.readTree(text);
            if (root.isMissingNode()) {
                return new Parsed.Malformed("The body is empty: send a JSON object.");
            }
            return isUnicode(root) ? new Parsed.Tree(root) : new Parsed.Malformed(HALF_A_PAIR);
        } catch (JsonProcessingException refused) {
            return new Parsed.Malformed(sentence(refused));
        } catch (ArithmeticException | NumberFormatException refused) {
            return new Parsed.Malformed("The body contains a number whose exponent is out of range.");
        }
    }

    /** Escapes can form strings that UTF-8 cannot encode; later they would silently become question marks. */
    private static boolean isUnicode(JsonNode node) {
        if (node.isTextual()) {
            return isUnicode(node.textValue());
        }
        for (var field : node.properties()) {
            if (!isUnicode(field.getKey())) {
                return false;
            }
        }
        for (JsonNode child : node) {
            if (!isUnicode(child)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isUnicode(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                if (at + 1 == text.length() || !Character.isSurrogatePair(text.charAt(at), text.charAt(at + 1))) {
                    return false;
                }
                at++;
            }
        }
        return true;
    }

    private static String sentence(JsonProcessingException refused) {
        Matcher duplicate = DUPLICATE.matcher(refused.getOriginalMessage());
        if (duplicate.matches()) {
            return "The field '" + duplicate.group(1) + "' occurs twice in one object" + place(refused) + ".";
        }
        if (HALF_A_PAIR_IN_A_NAME.matcher(refused.getOriginalMessage()).matches()) {
            return HALF_A_PAIR;
        }
        if (refused instanceof JsonEOFException) {
            return "The body ends in the middle of a JSON value" + place(refused) + ": it was cut off.";
        }
        if (refused instanceof StreamConstraintsException) {
            return "The body is deeper than " + MAX_DEPTH + " levels, or contains more than " + MAX_TOKENS
                    + " names and values, or a number of more than " + MAX_NUMBER_CHARS
                    + " digits, a name of more than " + MAX_NAME_CHARS
                    + " characters or too long a string" + place(refused) + ".";
        }
        if (refused.getOriginalMessage().startsWith("Trailing token")) {
            return "There is more after the JSON object" + place(refused) + ": send one object and nothing after it.";
        }
        return "The body is not valid JSON" + place(refused) + ".";
    }

    private static String place(JsonProcessingException refused) {
        JsonLocation location = refused.getLocation();
        return location == null ? "" : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
    }
}
