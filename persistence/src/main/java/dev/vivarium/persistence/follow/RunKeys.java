package dev.vivarium.persistence.follow;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Iterator;

/** The keys of runs' secrets, as {@link KeySweep} sees them. Blocks. */
public interface RunKeys {
    /** The runs whose keys exist. */
    Iterator<RunId> runs();

    /** Destroys the key of a run. */
    void shred(RunId run);

    /** Destroys the key of a run unless secrets were sealed with it since then. */
    void shredUnlessSealedSince(RunId run, Instant since);

    /** Renews what protects the key of a run that is live, where that is due. */
    void renew(RunId run);
}
