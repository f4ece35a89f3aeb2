package dev.vivarium.node.driver.guest;

/** Limits the bytes that wait to be sent to a sandbox. */
final class SendBudget {
    private final int bytesMax;
    private int waitingBytes;
    private boolean closed;

    SendBudget(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * Reserves the bytes; returns false when the channel is closed.
     *
     * @throws IllegalStateException when there is no room for them
     */
    synchronized boolean take(int bytes) {
        if (closed) {
            return false;
        }
        if (bytes > bytesMax - waitingBytes) {
            throw new IllegalStateException("More than " + bytesMax
                    + " bytes would wait for the sandbox: it does not read, or its owner does not wait for answers.");
        }
        waitingBytes += bytes;
        return true;
    }

    synchronized void giveBack(int bytes) {
        waitingBytes -= bytes;
    }

    synchronized void close() {
        closed = true;
    }
}
