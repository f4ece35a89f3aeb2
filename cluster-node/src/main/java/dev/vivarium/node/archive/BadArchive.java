package dev.vivarium.node.archive;

/** An archive that cannot be unpacked; the message is the end of a sentence for its owner. */
public final class BadArchive extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN_NAME_CHARS = 200;

    public BadArchive(String why) {
        super(why, null, false, false);
    }

    static BadArchive entry(String name, String why) {
        return new BadArchive("its entry '" + shown(name) + "' " + why);
    }

    /** A name from an archive, on one line and without control characters. */
    static String shown(String name) {
        StringBuilder shown = new StringBuilder();
        name.codePoints().limit(SHOWN_NAME_CHARS).forEach(point -> {
            if (Character.isISOControl(point)) {
                shown.append(String.format("\\u%04x", point));
            } else {
                shown.appendCodePoint(point);
            }
        });
        return name.codePointCount(0, name.length()) > SHOWN_NAME_CHARS ? shown + "…" : shown.toString();
    }
}
