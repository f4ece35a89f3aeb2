package dev.vivarium.terminal;

import java.util.List;
import java.util.stream.Collectors;

/** Formats a command so that it can be pasted into a shell. */
public final class ShellWords {
    private ShellWords() {}

    /** The words, quoted where a shell would interpret them. */
    public static String of(List<String> words) {
        return words.stream().map(ShellWords::of).collect(Collectors.joining(" "));
    }

    private static String of(String word) {
        return word.matches("[\\p{Alnum}_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
