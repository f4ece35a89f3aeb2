package dev.vivarium.node.http.server;

import java.util.concurrent.atomic.AtomicLong;

/** Bounds the total memory of all bodies in progress. */
final class BodyBudget {
    private final long maxBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    BodyBudget(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    Share open() {
        return new Share();
    }

    /** The memory reserved for one body. */
    final class Share implements AutoCloseable {
        private final AtomicLong takenBytes = new AtomicLong();

        /** Reserves more; returns false and reserves nothing when the budget is exhausted. */
        boolean take(int bytes) {
            if (usedBytes.addAndGet(bytes) > maxBytes) {
                usedBytes.addAndGet(-bytes);
                return false;
            }
            takenBytes.addAndGet(bytes);
            return true;
        }

        /** Releases everything. Idempotent. */
        @Override
        public void close() {
            usedBytes.addAndGet(-takenBytes.getAndSet(0));
        }
    }
}
