package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Digest;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * SHA-256 over a JSON value such that equal values have equal digests, whatever the order of names, the white space and
 * the escapes, and different values have different ones: every part is preceded by its kind and its length. The values
 * of the top level's {@code secrets} are omitted, since the digest of a guessable secret would reveal it.
 */
final class CanonicalDigest {
    private static final String SECRETS = "secrets";

    private final MessageDigest sha256 = Digest.newSha256();

    private CanonicalDigest() {}

    static Digest ofBody(JsonNode body) {
        CanonicalDigest digest = new CanonicalDigest();
        digest.feedBody(body);
        return Digest.ofDigestBytes(digest.sha256.digest());
    }

    private void feedBody(JsonNode body) {
        NavigableSet<String> names = names(body);
        header('{', names.size());
        for (String name : names) {
            text(name);
            if (name.equals(SECRETS)) {
                NavigableSet<String> secretNames = names(body.path(name));
                header('#', secretNames.size());
                secretNames.forEach(this::text);
            } else {
                feed(body.path(name));
            }
        }
    }

    private void feed(JsonNode node) {
        switch (node.getNodeType()) {
            case OBJECT -> {
                NavigableSet<String> names = names(node);
                header('{', names.size());
                for (String name : names) {
                    text(name);
                    feed(node.path(name));
                }
            }
            case ARRAY -> {
                header('[', node.size());
                node.forEach(this::feed);
            }
            case NUMBER -> {
                BigDecimal value = node.decimalValue().stripTrailingZeros();
                header('n', 0);
                text(value.unscaledValue() + "e" + -value.scale());
            }
            default -> {
                header(node.isTextual() ? 's' : 'l', 0);
                text(node.asText());
            }
        }
    }

    private static NavigableSet<String> names(JsonNode object) {
        NavigableSet<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private void text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        header('t', utf8.length);
        sha256.update(utf8);
    }

    private void header(char kind, int count) {
        sha256.update(ByteBuffer.allocate(5).put((byte) kind).putInt(count).flip());
    }
}
