package dev.vivarium.persistence.journal;

/** The store does not answer, or cannot make anything durable; trying again later may succeed. */
public final class StoreUnavailable extends RuntimeException {
    public StoreUnavailable(String message) {
        super(message);
    }

    public StoreUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
