package dev.vivarium.trials.abuse;

import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.LeftOut.Cause;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The files that a payload wants kept, and those that must be.
 *
 * @param patterns what its submission names as artifacts
 * @param kept the files that must be kept, and no others; empty where any may be
 * @param leftOut the causes for which files must be left out, and no others: one of these sets
 */
record Keeping(List<String> patterns, Optional<Set<String>> kept, List<Set<Cause>> leftOut) {
    private static final String ANY = "*";
    private static final String OR = " or ";

    Keeping {
        patterns = List.copyOf(patterns);
        leftOut = List.copyOf(leftOut);
    }

    /** Of a payload that wants none. */
    static final Keeping NOTHING = new Keeping(List.of(), Optional.empty(), List.of());

    /**
     * Reads the entries of a header.
     *
     * @param artifacts the patterns
     * @param kept the files, or {@code *} for any
     * @param leftOut the causes; with {@code or} between sets of which each will do
     */
    static Keeping parse(String artifacts, String kept, String leftOut) {
        return new Keeping(
                words(artifacts),
                kept.equals(ANY) ? Optional.empty() : Optional.of(Set.copyOf(words(kept))),
                Arrays.stream(leftOut.split(OR, -1)).map(Keeping::causes).toList());
    }

    private static Set<Cause> causes(String entry) {
        Set<Cause> causes = EnumSet.noneOf(Cause.class);
        words(entry).stream().map(Cause::valueOf).forEach(causes::add);
        return causes;
    }

    private static List<String> words(String entry) {
        return Arrays.stream(entry.split(" +", -1))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /** What is wrong with the files that were kept, as a sentence; empty when nothing is. */
    Optional<String> objection(ArtifactList list) {
        Set<String> paths =
                list.artifacts().stream().map(Artifact::path).collect(Collectors.toCollection(TreeSet::new));
        Set<Cause> causes = list.examples().stream()
                .map(LeftOut::why)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Cause.class)));
        if (kept.filter(wanted -> !wanted.equals(paths)).isPresent()) {
            return Optional.of("Kept are " + paths + ", and not " + new TreeSet<>(kept.get()) + ".");
        }
        return leftOut.contains(causes)
                ? Optional.empty()
                : Optional.of("Files were left out for " + causes + ", and not for one of " + leftOut + ".");
    }
}
