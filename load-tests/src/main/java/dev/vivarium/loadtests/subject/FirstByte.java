package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.time.Duration;

/** A way to run a command in a fresh sandbox, timed up to its first output byte. */
public interface FirstByte {
    /**
     * Runs it once and returns when everything is cleaned up, so that the next measurement is not disturbed; the result
     * is only the time to the first byte.
     */
    Duration once() throws IOException;
}
