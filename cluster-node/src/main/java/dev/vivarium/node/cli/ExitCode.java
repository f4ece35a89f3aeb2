package dev.vivarium.node.cli;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.StartFailure;

/**
 * What the command line exits with. An agent that ended by itself gives its own code; the ends that Vivarium brought
 * about have those of {@code KillReason}, or the ones that every shell user knows.
 */
final class ExitCode {
    static final int OK = 0;
    /** A quickstart of which not every line was as expected. */
    static final int UNEXPECTED = 1;
    /** The command line makes no sense, as shells and most programs say it. */
    static final int USAGE = 2;
    /** The node refused what it was asked, and would again (EX_DATAERR). */
    static final int REFUSED = 65;
    /** There is no such run or file (EX_NOINPUT). */
    static final int NOT_FOUND = 66;
    /** No node, or no engine, answers (EX_UNAVAILABLE). */
    static final int UNAVAILABLE = 69;
    /** A defect in Vivarium (EX_SOFTWARE). */
    static final int DEFECT = 70;
    /** What was printed could not be written (EX_IOERR). */
    static final int OUTPUT_CLOSED = 74;
    /** The node is full or leaving; later it may work (EX_TEMPFAIL). */
    static final int TRY_LATER = 75;
    /** The node was cut off from its cluster and has ended; a supervisor should start it again (EX_PROTOCOL). */
    static final int CUT_OFF = 76;
    /** As docker(1) says that a container did not start. */
    static final int NOT_STARTED = 125;
    /** As a shell says it. */
    static final int NOT_EXECUTABLE = 126;
    /** As a shell says it. */
    static final int COMMAND_NOT_FOUND = 127;
    /** As a shell says that Ctrl-C ended it. */
    static final int INTERRUPTED = 130;

    private ExitCode() {}

    /** The code for a run that has ended. */
    static int of(RunView run) {
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
                    SANDBOX_REFUSED -> NOT_STARTED;
        };
    }
}
