package dev.vivarium.protocol.run;

/**
 * Why an agent never ran, in terms on which its user can act.
 *
 * @param kind the stable name of the cause
 * @param message one sentence that says what to do
 */
public record StartFailure(Kind kind, String message) {
    /** The causes. */
    public enum Kind {
        /** The engine does not have the image and may not pull it. */
        IMAGE_UNAVAILABLE,
        /** The image exists but cannot be used. */
        IMAGE_REFUSED,
        /** The command does not exist in the sandbox. */
        COMMAND_NOT_FOUND,
        /** The command exists and cannot be executed. */
        COMMAND_NOT_EXECUTABLE,
        /** The working directory does not exist or cannot be entered. */
        WORKDIR_UNAVAILABLE,
        /** A file could not be put into the sandbox. */
        FILE_REFUSED,
        /** The run's secrets cannot be opened, or not be used as the run asks. */
        SECRETS_UNAVAILABLE,
        /** A secret of the tenant that the run names was removed after the run was accepted. */
        SECRET_REMOVED,
        /** The engine refused the sandbox. */
        SANDBOX_REFUSED
    }
}
