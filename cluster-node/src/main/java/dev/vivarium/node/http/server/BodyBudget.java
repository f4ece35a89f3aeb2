package dev.vivarium.node.http.server;

import java.util.concurrent.atomic.AtomicLong;

/** Bounds the memory that all bodies take together that are being worked on. */
final class BodyBudget {
    private final long maxBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    BodyBudget(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    Share open() {
        return new Share();
    }

    /** What one body has taken. */
    final class Share implements AutoCloseable {
        private final AtomicLong takenBytes = new AtomicLong();

        /** Takes more; false when there is no more, and then nothing is taken. */
        boolean take(int bytes) {
            if (usedBytes.addAndGet(bytes) > maxBytes) {
                usedBytes.addAndGet(-bytes);
                return false;
            }
            takenBytes.addAndGet(bytes);
            return true;
        }

        /** Gives everything back. Idempotent. */
        @Override
        public void close() {
            usedBytes.addAndGet(-takenBytes.getAndSet(0));
        }
    }
}
