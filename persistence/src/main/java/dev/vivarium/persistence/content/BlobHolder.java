package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Optional;

/**
 * What holds blobs: a run while it lives, or the record of a run with what was kept of it.
 *
 * @param name its name among the holders
 */
public record BlobHolder(String name) {
    /** Holds from so late a time are never old enough to lapse. */
    public static final Instant FOR_EVER = Instant.parse("9999-12-31T00:00:00Z");

    private static final String RECORDED = ":artifacts";

    /** A run, until it has ended. */
    public static BlobHolder living(RunId run) {
        return new BlobHolder(run.value());
    }

    /** A run's record, which outlasts its end. */
    public static BlobHolder recorded(RunId run) {
        return new BlobHolder(run.value() + RECORDED);
    }

    /** The run that a holder's name begins with; empty for a name of another form. */
    public static Optional<RunId> run(String name) {
        String id = name.endsWith(RECORDED) ? name.substring(0, name.length() - RECORDED.length()) : name;
        return RunId.isValid(id) ? Optional.of(new RunId(id)) : Optional.empty();
    }
}
