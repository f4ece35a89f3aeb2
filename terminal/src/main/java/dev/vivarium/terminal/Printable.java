package dev.vivarium.terminal;

/** Makes untrusted text (labels, images, failures) safe to print in a line of a terminal. */
public final class Printable {
    private Printable() {}

    /** The text with everything that a terminal would act on, or that would hide text, written as escapes. */
    public static String of(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        text.codePoints().forEach(codePoint -> append(printable, codePoint));
        return printable.toString();
    }

    private static void append(StringBuilder printable, int codePoint) {
        switch (codePoint) {
            case '\n' -> printable.append("\\n");
            case '\r' -> printable.append("\\r");
            case '\t' -> printable.append("\\t");
            case 0x1b -> printable.append("\\e");
            default -> {
                if (isHarmless(codePoint)) {
                    printable.appendCodePoint(codePoint);
                } else {
                    printable.append(String.format("\\u%04x", codePoint));
                }
            }
        }
    }

    /**
     * Whether a terminal only draws it. False for control characters, and for the invisible ones that change the order in
     * which others are shown.
     */
    static boolean isHarmless(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
