package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/** One way to have a command run until a time and not longer. Safe for use by several threads. */
public interface TimedRuns extends Closeable {
    /**
     * Starts a command, and returns once all its processes run.
     *
     * @param aimNanos when it should be over, by {@link System#nanoTime}, as nearly as this way allows to say
     */
    Condemned start(Manner manner, long aimNanos) throws IOException;

    /** How the runs have ended, by their own word, each word with how often it was given; waits until they have. */
    String verdicts() throws IOException;

    /** Ends and forgets what was started so far. */
    void clear() throws IOException;

    /** Takes away what still runs. */
    @Override
    void close() throws IOException;
}
