package dev.vivarium.protocol.access;

import dev.vivarium.protocol.run.Limits;
import java.util.Map;
import java.util.Optional;

/**
 * What a token is narrowed to within its role and tenant. Labels hold for everything: the token starts and sees only runs
 * that carry them. Image and limits hold for what it starts.
 *
 * @param labels the labels that a run must carry, with these values
 * @param image the only image that its runs may have; empty for any
 * @param limits the most that its runs may ask for; a limit that is not named has the node's own ceiling
 */
public record Scope(Map<String, String> labels, Optional<String> image, Limits limits) {
    /** Not narrowed. */
    public static final Scope NONE = new Scope(Map.of(), Optional.empty(), Limits.NONE);

    public Scope {
        labels = Map.copyOf(labels);
    }

    /** Whether a run with these labels is within it. */
    public boolean covers(Map<String, String> runLabels) {
        return runLabels.entrySet().containsAll(labels.entrySet());
    }
}
