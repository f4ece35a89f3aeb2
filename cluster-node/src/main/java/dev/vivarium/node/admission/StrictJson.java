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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Hostile bytes to a JSON tree, or one sentence why not. Stricter than JSON parsers are by themselves: UTF-8 must be
 * valid, a name may occur once in an object, nothing may follow the value, and depth and lengths are limited. No
 * sentence repeats what the client sent beyond a field's name: it could be a secret.
 */
final class StrictJson {
    /** Nothing in a submission is deeper than files -> path -> base64. */
    static final int MAX_DEPTH = 16;

    private static final int MAX_NAME_CHARS = 4_096;
    private static final int MAX_NUMBER_CHARS = 64;
    private static final Pattern DUPLICATE = Pattern.compile("Duplicate field '(.{0,100})'.*", Pattern.DOTALL);

    private final ObjectReader reader;

    /** @param maxStringChars the longest string; the size of the largest body, since one file may fill it */
    StrictJson(int maxStringChars) {
        // Buffers that Jackson recycles stay with their thread, and a secret in them for as long as the thread lives.
        JsonFactory factory = JsonFactory.builder()
                .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(MAX_NUMBER_CHARS)
                        .maxNameLength(MAX_NAME_CHARS)
                        .maxStringLength(maxStringChars)
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

    /** The outcome: a tree or a sentence. */
    sealed interface Parsed {
        record Tree(JsonNode root) implements Parsed {}

        record Malformed(String sentence) implements Parsed {}
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
        CoderResult decoded = decoder.decode(bytes, text, true);
        if (decoded.isError()) {
            return new Parsed.Malformed(
                    "The body is not valid UTF-8 at byte " + bytes.position() + ": JSON must be sent as UTF-8.");
        }
        return parse(text.flip().toString());
    }

    private Parsed parse(String text) {
        try {
            JsonNode root = reader.readTree(text);
            if (root.isMissingNode()) {
                return new Parsed.Malformed("The body is empty: send a JSON object.");
            }
            return isUnicode(root)
                    ? new Parsed.Tree(root)
                    : new Parsed.Malformed("A string of the body holds half of a surrogate pair (\\ud800 to \\udfff).");
        } catch (JsonProcessingException refused) {
            return new Parsed.Malformed(sentence(refused));
        } catch (ArithmeticException | NumberFormatException refused) {
            return new Parsed.Malformed("The body holds a number whose exponent is out of range.");
        }
    }

    /** Escapes can make strings that no UTF-8 can carry; further on they would silently become question marks. */
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
        if (refused instanceof JsonEOFException) {
            return "The body ends in the middle of a JSON value" + place(refused) + ": it was cut off.";
        }
        if (refused instanceof StreamConstraintsException) {
            return "The body is deeper than " + MAX_DEPTH + " levels, or holds a number of more than "
                    + MAX_NUMBER_CHARS + " digits, a name of more than " + MAX_NAME_CHARS
                    + " characters or too long a string" + place(refused) + ".";
        }
        if (refused.getOriginalMessage().startsWith("Trailing token")) {
            return "Something follows the JSON object" + place(refused) + ": send one object and nothing after it.";
        }
        return "The body is not valid JSON" + place(refused) + ".";
    }

    private static String place(JsonProcessingException refused) {
        JsonLocation location = refused.getLocation();
        return location == null ? "" : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
    }
}
