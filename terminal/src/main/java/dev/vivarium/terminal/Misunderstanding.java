package dev.vivarium.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Explains what is wrong with a command line, with suggestions. */
final class Misunderstanding {
    /** Two typos: a missing, additional or wrong letter each. */
    private static final int SLIPS_MAX = 2;

    private Misunderstanding() {}

    /** The sentences to print. */
    static List<String> sentences(ParameterException problem) {
        if (problem instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            return ofUnknown(unmatched.getUnmatched().get(0), unmatched.getCommandLine());
        }
        return List.of(String.valueOf(problem.getMessage()).replaceFirst("[\\s.]+$", "") + ".");
    }

    private static List<String> ofUnknown(String word, CommandLine command) {
        boolean isOption = word.startsWith("-");
        boolean takesCommands = !command.getSubcommands().isEmpty();
        List<String> sentences = new ArrayList<>();
        sentences.add(
                isOption
                        ? "there is no option " + word + "."
                        : takesCommands
                                ? "there is no command '" + word + "'."
                                : "'" + word + "' is one word too many.");
        Set<String> known = new TreeSet<>();
        if (isOption) {
            command.getCommandSpec().options().forEach(option -> known.addAll(List.of(option.names())));
        } else {
            known.addAll(command.getSubcommands().keySet());
        }
        String name = isOption ? word.replaceFirst("=.*", "") : word;
        List<String> near = known.stream().filter(other -> isNear(name, other)).toList();
        if (!near.isEmpty()) {
            sentences.add("did you mean " + String.join(" or ", near) + "?");
        }
        return sentences;
    }

    private static boolean isNear(String word, String known) {
        int slips = slips(word, known);
        // With two typos, a word of three letters is not recognizable.
        boolean mistyped = slips <= SLIPS_MAX && slips * 2 < Math.min(word.length(), known.length());
        boolean unfinished = word.length() > SLIPS_MAX && known.startsWith(word);
        return mistyped || unfinished;
    }

    /** The number of inserted, deleted or changed letters between two words (Levenshtein). */
    private static int slips(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[to.length()];
    }
}
