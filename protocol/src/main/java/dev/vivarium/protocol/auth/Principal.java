package dev.vivarium.protocol.auth;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * The identity behind an action, such as a request or a node's shutdown. Written as {@code kind:name} in events and in
 * the API; stored text is permanent and never changes its meaning.
 *
 * @param kind how the principal was identified
 * @param name the name within that kind: 1 to 255 visible ASCII characters
 */
public record Principal(Kind kind, String name) {
    private static final Pattern NAME = Pattern.compile("[\\x21-\\x7e]{1,255}");

    /** The operator on the node's own machine: whoever can read the node's local token, and the node itself. */
    public static final Principal LOCAL_OPERATOR = new Principal(Kind.LOCAL, "operator");

    /** How a principal was identified. */
    public enum Kind {
        /** By having access to the node's machine. */
        LOCAL("local"),
        /** By a token; the name is the token's. */
        TOKEN("token"),
        /** By a token of an OpenID Connect issuer; the name is the issuer's in the configuration, '/', and the caller's there. */
        OIDC("oidc"),
        /** By a client certificate; the name is an attribute of its subject. */
        CERTIFICATE("certificate");

        private final String text;

        Kind(String text) {
            this.text = text;
        }
    }

    public Principal {
        if (!isValidName(name)) {
            throw new IllegalArgumentException("A principal's name is 1 to 255 visible ASCII characters.");
        }
    }

    /** Whether a principal can have this name. */
    public static boolean isValidName(String name) {
        return NAME.matcher(name).matches();
    }

    /** Reads the form {@code kind:name}. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Principal parse(String text) {
        int colon = text.indexOf(':');
        String kind = text.substring(0, Math.max(colon, 0));
        return Arrays.stream(Kind.values())
                .filter(known -> known.text.equals(kind))
                .findFirst()
                .map(known -> new Principal(known, text.substring(colon + 1)))
                .orElseThrow(() -> new IllegalArgumentException("Not a principal: " + text));
    }

    @JsonValue
    @Override
    public String toString() {
        return kind.text + ":" + name;
    }
}
