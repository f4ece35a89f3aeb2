package dev.vivarium.node.driver;

/** Why a driver could not do what it was asked. */
public final class DriverException extends RuntimeException {
    /** The kinds that callers treat differently. */
    public enum Kind {
        /** The engine has no such image and may not fetch it. */
        IMAGE_UNAVAILABLE,
        /** The image cannot be used for a sandbox. */
        IMAGE_REFUSED,
        /** No such sandbox. */
        SANDBOX_UNKNOWN,
        /** The attempt already has a sandbox. */
        ATTEMPT_CLAIMED,
        /** The engine does not answer; it may come back. */
        ENGINE_UNAVAILABLE,
        /** The guest did not come up in time. */
        GUEST_SILENT,
        /** The engine refused, and would again. */
        REFUSED
    }

    private final Kind kind;

    /**
     * @param kind what kind of failure it is
     * @param message one sentence that says what to do, fit for the run's owner
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
