package dev.vivarium.node.admission;

import java.util.regex.Pattern;

/**
 * The grammar of image references, as the OCI distribution specification and Docker have it:
 * {@code [registry[:port]/]path[:tag][@digest]}.
 */
final class ImageName {
    private static final int MAX_CHARS = 512;
    private static final int MAX_NAME_CHARS = 255;
    private static final String COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
    private static final String HOST_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    private static final String HOST = HOST_PART + "(?:\\." + HOST_PART + ")*(?::[0-9]{1,5})?";
    private static final Pattern SHAPE = Pattern.compile("(?<name>(?:" + HOST + "/)?" + COMPONENT + "(?:/" + COMPONENT
            + ")*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
            + "(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128})?");

    private ImageName() {}

    /** Whether the text is an image reference. Long text is refused before it meets the expression. */
    static boolean isValid(String text) {
        if (text.length() > MAX_CHARS) {
            return false;
        }
        var matcher = SHAPE.matcher(text);
        return matcher.matches() && matcher.group("name").length() <= MAX_NAME_CHARS;
    }
}
