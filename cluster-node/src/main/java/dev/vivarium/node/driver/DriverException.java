package dev.vivarium.node.driver;

/** Why a driver's operation failed. */
public final class DriverException extends RuntimeException {
    /** The kinds of failures that callers distinguish. */
    public enum Kind {
        /** The engine does not have the image and may not pull it. */
        IMAGE_UNAVAILABLE,
        /** The image cannot be used for a sandbox. */
        IMAGE_REFUSED,
        /** No such sandbox. */
        SANDBOX_UNKNOWN,
        /** The attempt already has a sandbox. */
        ATTEMPT_CLAIMED,
        /** The waiting sandbox cannot serve the attempt; a new one may. */
        UNSUITED,
        /** The engine does not answer; it may come back. */
        ENGINE_UNAVAILABLE,
        /** The guest did not come up in time. */
        GUEST_SILENT,
        /** The engine refused, and a retry would not help. */
        REFUSED
    }

    private final Kind kind;

    /**
     * @param kind the kind of failure
     * @param message one sentence that says what to do, which the run's user may see
     */
    public DriverException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public DriverException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
