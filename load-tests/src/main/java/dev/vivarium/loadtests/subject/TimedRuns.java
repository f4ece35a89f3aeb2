package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/** A way to run a command until a deadline and no longer. Thread-safe. */
public interface TimedRuns extends Closeable {
    /**
     * Starts a command; returns once all its processes run.
     *
     * @param aimNanos its deadline by {@link System#nanoTime}, as precisely as possible
     */
    TimedCommand start(Manner manner, long aimNanos) throws IOException;

    /** The runs' own results with the number of each; waits until all have ended. */
    String verdicts() throws IOException;

    /** Ends and removes everything started so far. */
    void clear() throws IOException;

    /** Removes what is still running. */
    @Override
    void close() throws IOException;
}
