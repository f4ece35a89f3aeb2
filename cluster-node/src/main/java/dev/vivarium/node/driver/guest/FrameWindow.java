package dev.vivarium.node.driver.guest;

/** Lets so many frames be unconfirmed and makes the reading thread wait for confirmation of more. */
final class FrameWindow {
    private final int unconfirmedMax;
    private int unconfirmed;
    private boolean closed;

    FrameWindow(int unconfirmedMax) {
        this.unconfirmedMax = unconfirmedMax;
    }

    /** Waits for a place; false when the window was closed instead. */
    synchronized boolean awaitPlace() throws InterruptedException {
        while (unconfirmed >= unconfirmedMax && !closed) {
            wait();
        }
        unconfirmed++;
        return !closed;
    }

    synchronized void confirm() {
        if (unconfirmed == 0) {
            throw new IllegalStateException("More frames were confirmed than were handed over.");
        }
        unconfirmed--;
        notifyAll();
    }

    synchronized void close() {
        closed = true;
        notifyAll();
    }
}
