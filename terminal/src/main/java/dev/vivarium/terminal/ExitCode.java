package dev.vivarium.terminal;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.StartFailure;

/**
 * The exit codes of the command line. A run that ended by itself has its agent's code; ends caused by Vivarium have the
 * codes of {@code KillReason}, or those that shells use.
 */
public final class ExitCode {
    public static final int OK = 0;
    /** A trial with an unexpected result, or a proof that does not hold. */
    public static final int UNEXPECTED = 1;
    /** Invalid usage, as in shells and most programs. */
    public static final int USAGE = 2;
    /** The node refused the request, and would again (EX_DATAERR). */
    public static final int REFUSED = 65;
    /** There is no such run or file (EX_NOINPUT). */
    public static final int NOT_FOUND = 66;
    /** No node, or no engine, answers (EX_UNAVAILABLE). */
    public static final int UNAVAILABLE = 69;
    /** A defect in Vivarium (EX_SOFTWARE). */
    public static final int DEFECT = 70;
    /** The output could not be written (EX_IOERR). */
    public static final int OUTPUT_CLOSED = 74;
    /** The node is full or leaving; a later attempt may succeed (EX_TEMPFAIL). */
    public static final int TRY_LATER = 75;
    /** The node was cut off from its cluster and has ended; a supervisor should start it again (EX_PROTOCOL). */
    public static final int CUT_OFF = 76;
    /** As docker(1) exits when a container did not start. */
    public static final int NOT_STARTED = 125;
    /** As a shell says it. */
    public static final int NOT_EXECUTABLE = 126;
    /** As a shell says it. */
    public static final int COMMAND_NOT_FOUND = 127;
    /** As a shell reports an end by Ctrl-C. */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}

    /** The code for a run that has ended. */
    public static int of(RunView run) {
        if (run.reason().isPresent()) {
            return run.reason().get().exitCode();
        }
        if (run.failure().isPresent()) {
            return of(run.failure().get().kind());
        }
        return run.exitCode().orElse(DEFECT);
    }

    private static int of(StartFailure.Kind kind) {
        return switch (kind) {
            case COMMAND_NOT_FOUND -> COMMAND_NOT_FOUND;
            case COMMAND_NOT_EXECUTABLE -> NOT_EXECUTABLE;
            case IMAGE_UNAVAILABLE,
                    IMAGE_REFUSED,
                    WORKDIR_UNAVAILABLE,
                    FILE_REFUSED,
                    SECRETS_UNAVAILABLE,
                    SECRET_REMOVED,
                    SANDBOX_REFUSED -> NOT_STARTED;
        };
    }
}
