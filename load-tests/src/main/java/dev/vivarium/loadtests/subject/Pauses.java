package dev.vivarium.loadtests.subject;

import java.io.InterruptedIOException;

/** Waiting between two looks. */
public final class Pauses {
    private Pauses() {}

    public static void millis(long millis) throws InterruptedIOException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw interrupted();
        }
    }

    static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }
}
