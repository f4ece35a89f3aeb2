package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;

/**
 * What holds blobs: a run while it lives, or the record of a run with what was kept of it.
 *
 * @param name its name among the holders
 */
public record BlobHolder(String name) {
    /** Holds from so late a time are never old enough to lapse. */
    static final Instant FOR_EVER = Instant.parse("9999-12-31T00:00:00Z");

    /** A run, until it has ended. */
    public static BlobHolder living(RunId run) {
        return new BlobHolder(run.value());
    }

    /** A run's record, which outlasts its end. */
    static BlobHolder recorded(RunId run) {
        return new BlobHolder(run.value() + ":artifacts");
    }
}
