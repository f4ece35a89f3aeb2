package dev.vivarium.node.cli.text;

import java.util.List;
import java.util.stream.Collectors;

/** A command as one would type it: where words begin and end can be seen, and it can be pasted into a shell. */
public final class ShellWords {
    private ShellWords() {}

    /** The words, quoted where a shell would see something else in them. */
    public static String of(List<String> words) {
        return words.stream().map(ShellWords::of).collect(Collectors.joining(" "));
    }

    private static String of(String word) {
        return word.matches("[\\p{Alnum}_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
