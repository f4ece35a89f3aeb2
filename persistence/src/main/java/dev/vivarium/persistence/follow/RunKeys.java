package dev.vivarium.persistence.follow;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Iterator;

/** The keys of runs' secrets, as {@link KeySweep} sees them. Methods block. */
public interface RunKeys {
    /** The runs whose keys exist. */
    Iterator<RunId> runs();

    /** Destroys a run's key. */
    void shred(RunId run);

    /** Destroys a run's key unless secrets were sealed with it since the given time. */
    void shredUnlessSealedSince(RunId run, Instant since);

    /** Renews the protection of a live run's key, if that is due. */
    void renew(RunId run);
}
