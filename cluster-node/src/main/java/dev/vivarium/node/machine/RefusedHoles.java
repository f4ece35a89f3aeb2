package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Whether a node may start on a machine with known holes. Pure. */
public final class RefusedHoles {
    private static final String KEY = "machine.refuse-known-holes";
    private static final String NEVER = "never";

    private RefusedHoles() {}

    /**
     * The lowest level at which no node starts; empty for none.
     *
     * @param vivarium the block {@code vivarium}
     * @throws ConfigException for a word that is no level
     */
    public static Optional<Level> from(Config vivarium) {
        String word = vivarium.getString(KEY);
        if (word.equals(NEVER)) {
            return Optional.empty();
        }
        return Optional.of(Arrays.stream(Level.values())
                .filter(level -> level != Level.OK && level.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new ConfigException.BadValue(
                        vivarium.getValue(KEY).origin(),
                        "vivarium." + KEY,
                        "must be never, problem, warning or note")));
    }

    /** Why no node starts on the machine, as a problem; empty when it may. */
    public static Optional<Finding> refusal(List<Finding> holes, Level from) {
        return holes.stream()
                .filter(hole -> hole.level().compareTo(from) >= 0)
                .findFirst()
                .map(worst -> new Finding(
                        Level.PROBLEM,
                        "start",
                        "No node starts on this machine: vivarium." + KEY + " is " + from.word() + ", and "
                                + worst.found(),
                        worst.remedy()));
    }
}
