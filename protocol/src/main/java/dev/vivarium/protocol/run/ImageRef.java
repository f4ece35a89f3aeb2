package dev.vivarium.protocol.run;

import java.util.regex.Pattern;

/**
 * A reference to a sandbox's image, {@code [registry[:port]/]path[:tag][@sha256:digest]}, or an image's id, {@code
 * sha256:…}. One grammar applies from the submission to the engine's API, so that an accepted reference can always be
 * requested: that of the OCI distribution specification and Docker, restricted to the digest algorithm by which engines
 * store images.
 *
 * @param value the reference as it was given, at most {@value #CHARS_MAX} characters
 */
public record ImageRef(String value) {
    /** The longest reference, in characters. */
    public static final int CHARS_MAX = 512;

    private static final int NAME_CHARS_MAX = 255;
    private static final int PORT_MAX = 65_535;
    private static final String HOST_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final String REGISTRY =
            "(?:" + HOST_LABEL + "(?:\\." + HOST_LABEL + "){0,126}(?::(?<port>[0-9]{1,5}))?/)?";
    private static final String PATH_PART = "[a-z0-9]++(?:(?:\\.|__?|-++)[a-z0-9]++)*+";
    private static final String PATH = PATH_PART + "(?:/" + PATH_PART + ")*+";
    private static final String TAG = "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?";
    private static final String DIGEST = "(?:@sha256:[0-9a-f]{64})?";
    private static final Pattern ID = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final Pattern SHAPE = Pattern.compile("(?<name>" + REGISTRY + PATH + ")" + TAG + DIGEST);

    /** Why a text is not an image reference; follows the field's name. */
    public static final String RULE =
            "must be an image reference in lower case such as python:3.12 or registry.example.com/team/agent@sha256:…; a"
                    + " digest is sha256 with 64 hex digits";

    /**
     * Checks the reference against the grammar.
     *
     * @throws IllegalArgumentException with a sentence for the user when it does not
     */
    public ImageRef {
        if (!isValid(value)) {
            throw new IllegalArgumentException("The image " + RULE + ".");
        }
    }

    /** Whether the text is a valid image reference; the image need not exist. */
    public static boolean isValid(String text) {
        // Bounds the input of the regular expression.
        if (text.length() > CHARS_MAX) {
            return false;
        }
        if (ID.matcher(text).matches()) {
            return true;
        }
        var matcher = SHAPE.matcher(text);
        return matcher.matches()
                && matcher.group("name").length() <= NAME_CHARS_MAX
                && (matcher.group("port") == null || Integer.parseInt(matcher.group("port")) <= PORT_MAX);
    }

    /** The reference with the tag that the engine would assume, when it has neither tag nor digest. */
    public ImageRef withTag() {
        String lastPart = value.substring(value.lastIndexOf('/') + 1);
        return lastPart.indexOf(':') < 0 && lastPart.indexOf('@') < 0 ? new ImageRef(value + ":latest") : this;
    }

    @Override
    public String toString() {
        return value;
    }
}
