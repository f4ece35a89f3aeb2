package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/**
 * Cleans something up when the benchmark is terminated from outside: from {@link #make} until {@link #drop}. Failures
 * are reported on the error stream.
 */
public final class ShutdownCleanup {
    private final String what;
    private final Closeable end;
    private final Thread hook;
    private volatile Phase phase = Phase.ALIVE;

    private enum Phase {
        ALIVE,
        CARRIED_OUT
    }

    /**
     * Creates it without registering it.
     *
     * @param what it cleans up, such as "the cluster"
     * @param end cleans it up
     */
    public ShutdownCleanup(String what, Closeable end) {
        this.what = what;
        this.end = end;
        this.hook = new Thread(this::carryOut, "take " + what + " away");
    }

    public void make() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public void drop() {
        if (phase == Phase.ALIVE) {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
    }

    /**
     * Call before starting something that it would have to clean up.
     *
     * @throws IOException when the clean-up has begun
     */
    public void requireAlive() throws IOException {
        if (phase == Phase.CARRIED_OUT) {
            throw new IOException("What there is of " + what + " is being taken away.");
        }
    }

    private void carryOut() {
        phase = Phase.CARRIED_OUT;
        try {
            end.close();
        } catch (IOException left) {
            System.err.println("vivarium bench: " + what + " is left: " + left.getMessage());
        }
    }
}
