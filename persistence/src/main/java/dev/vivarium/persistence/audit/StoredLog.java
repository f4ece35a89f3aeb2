package dev.vivarium.persistence.audit;

/**
 * The log of all events in a store that no node of this process uses: for those who verify it. Nothing is written, and
 * nothing runs in the background.
 *
 * @param audit the log, to be read
 * @param closing closes the connections to the store
 */
public record StoredLog(AuditLog audit, Runnable closing) implements AutoCloseable {
    @Override
    public void close() {
        closing.run();
    }
}
