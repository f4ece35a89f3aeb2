package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.run.RunId;
import java.util.Optional;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * Persistence ids of all that has a place in the order of events: {@code run|<id>} of a run, whose chain has all of its
 * events, and {@code act|<id>} of an administrative act, whose chain is one entry. An id tells which of them it is.
 */
public final class ChainPersistenceId {
    private static final String ACT = "act";
    private static final String ACT_PREFIX = ACT + PersistenceId.DefaultSeparator();

    private ChainPersistenceId() {}

    /** That of an act. */
    public static PersistenceId of(ActId act) {
        return PersistenceId.of(ACT, act.value());
    }

    /** That of a chain: of an act where the id is one's, and else of a run. */
    public static PersistenceId of(RunId chain) {
        return isAct(chain) ? of(new ActId(chain.value())) : RunPersistenceId.of(chain);
    }

    /** Whether a chain is that of an act. */
    public static boolean isAct(RunId chain) {
        return ActId.isValid(chain.value());
    }

    /** The chain of a persistence id; empty for other kinds. */
    public static Optional<RunId> parse(String persistenceId) {
        return persistenceId.startsWith(ACT_PREFIX)
                ? act(persistenceId.substring(ACT_PREFIX.length()))
                : RunPersistenceId.parse(persistenceId);
    }

    private static Optional<RunId> act(String id) {
        return ActId.isValid(id) ? Optional.of(new RunId(id)) : Optional.empty();
    }
}
