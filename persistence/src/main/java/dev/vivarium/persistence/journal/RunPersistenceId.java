package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.RunId;
import java.util.Optional;
import org.apache.pekko.persistence.typed.PersistenceId;

/** A run's persistence id: {@code run|<id>}. The journal may hold other kinds of ids too. */
public final class RunPersistenceId {
    /** The kind of entity, and the name of the sharded entity type. */
    public static final String ENTITY_TYPE = "run";

    private static final String PREFIX = ENTITY_TYPE + PersistenceId.DefaultSeparator();

    private RunPersistenceId() {}

    public static PersistenceId of(RunId run) {
        return PersistenceId.of(ENTITY_TYPE, run.value());
    }

    /** The run of a persistence id; empty for other kinds. */
    public static Optional<RunId> parse(String persistenceId) {
        if (!persistenceId.startsWith(PREFIX)) {
            return Optional.empty();
        }
        String id = persistenceId.substring(PREFIX.length());
        return RunId.isValid(id) ? Optional.of(new RunId(id)) : Optional.empty();
    }
}
