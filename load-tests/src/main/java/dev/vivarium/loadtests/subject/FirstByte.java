package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.time.Duration;

/** One way to run a command in a fresh sandbox, timed up to the first byte that the command prints. */
public interface FirstByte {
    /**
     * Does it once, and returns when nothing of it is left, so that the next measurement is not disturbed; only the time
     * to the first byte is given.
     */
    Duration once() throws IOException;
}
