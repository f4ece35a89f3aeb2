package dev.vivarium.persistence.journal;

/** The store does not answer or cannot make data durable; a retry may succeed. */
public final class StoreUnavailable extends RuntimeException {
    public StoreUnavailable(String message) {
        super(message);
    }

    public StoreUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
