package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverException;
import java.util.regex.Pattern;

/**
 * An image's name that has passed the reference grammar, so that it can stand in a path of the engine's API.
 * {@code [registry[:port]/]path[:tag][@digest]}, or an image id.
 *
 * @param value the name as it was given
 */
record ImageName(String value) {
    private static final int LENGTH_MAX = 512;
    private static final int LENGTH_SHOWN_MAX = 80;
    private static final String HOST_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final String REGISTRY = "(?:" + HOST_LABEL + "(?:\\." + HOST_LABEL + "){0,126}(?::[0-9]{1,5})?/)?";
    private static final String PATH_PART = "[a-z0-9]++(?:(?:\\.|__?|-++)[a-z0-9]++)*+";
    private static final String PATH = PATH_PART + "(?:/" + PATH_PART + ")*+";
    private static final String TAG = "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?";
    private static final String DIGEST = "(?:@sha256:[0-9a-f]{64})?";
    private static final Pattern SHAPE = Pattern.compile("sha256:[0-9a-f]{64}|" + REGISTRY + PATH + TAG + DIGEST);

    /**
     * Takes an image's name from a run's specification.
     *
     * @throws DriverException IMAGE_REFUSED when it is none
     */
    static ImageName parse(String text) {
        if (text.length() > LENGTH_MAX || !SHAPE.matcher(text).matches()) {
            throw new DriverException(
                    DriverException.Kind.IMAGE_REFUSED,
                    "'" + printable(text)
                            + "' is not the name of an image: write it as [registry/]name[:tag][@sha256:digest], "
                            + "in lower case.");
        }
        return new ImageName(text);
    }

    /** The part that is fetched, with the tag that the engine would assume made plain. */
    String pullReference() {
        String lastPart = value.substring(value.lastIndexOf('/') + 1);
        return lastPart.indexOf(':') < 0 && lastPart.indexOf('@') < 0 ? value + ":latest" : value;
    }

    private static String printable(String text) {
        String shown = text.length() <= LENGTH_SHOWN_MAX ? text : text.substring(0, LENGTH_SHOWN_MAX) + "...";
        return shown.replaceAll("[^\\x20-\\x7e]", "?");
    }
}
