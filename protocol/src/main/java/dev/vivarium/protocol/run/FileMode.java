package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * Permissions of a file, in octal as for chmod: {@code 0644}.
 *
 * @param bits the permission bits, 0 to 0777; set-user-ID, set-group-ID and sticky are not allowed
 */
public record FileMode(int bits) {
    private static final Pattern SHAPE = Pattern.compile("0?[0-7]{3}");
    private static final int OCTAL = 8;

    /** The default. */
    public static final FileMode PLAIN = new FileMode(0644);

    /** The default of an executable file. */
    public static final FileMode EXECUTABLE = new FileMode(0755);

    public FileMode {
        if (bits < 0 || bits > 0777) {
            throw new IllegalArgumentException("must be permissions from 0000 to 0777");
        }
    }

    /**
     * Parses octal digits.
     *
     * @throws IllegalArgumentException with a sentence for the user when the text is no mode
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static FileMode parse(String text) {
        if (!SHAPE.matcher(text).matches()) {
            throw new IllegalArgumentException("must be permissions in octal, such as 0644");
        }
        return new FileMode(Integer.parseInt(text, OCTAL));
    }

    /** The mode of a file given by its content only: a script ({@code #!}) is executable. */
    public static FileMode ofContent(Blob content) {
        byte[] bytes = content.toByteArray();
        return bytes.length > 2 && bytes[0] == '#' && bytes[1] == '!' ? EXECUTABLE : PLAIN;
    }

    @Override
    @JsonValue
    public String toString() {
        return "0%03o".formatted(bits);
    }
}
