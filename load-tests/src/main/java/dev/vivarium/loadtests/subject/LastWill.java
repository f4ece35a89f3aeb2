package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/**
 * Takes something away when whoever measures with it is ended from outside, so that nothing is left behind: from
 * {@link #make} until {@link #drop}. What cannot be taken away is told on the error stream.
 */
public final class LastWill {
    private final String what;
    private final Closeable end;
    private final Thread hook;
    private volatile Phase phase = Phase.ALIVE;

    private enum Phase {
        ALIVE,
        CARRIED_OUT
    }

    /**
     * One that does not hold yet.
     *
     * @param what it takes away, such as "the cluster"
     * @param end how
     */
    public LastWill(String what, Closeable end) {
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
     * For whoever starts something that it would have to end.
     *
     * @throws IOException when it is being carried out
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
