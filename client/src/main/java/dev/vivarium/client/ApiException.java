package dev.vivarium.client;

import dev.vivarium.protocol.api.Problem;
import java.net.URI;

/** A failed request, with a sentence that says why. */
public abstract sealed class ApiException extends Exception {
    private static final long serialVersionUID = 1L;

    private ApiException(String message) {
        super(message);
    }

    /** The node does not answer, or no longer does. */
    public static final class NodeUnreachable extends ApiException {
        private static final long serialVersionUID = 1L;

        NodeUnreachable(URI server, String cause) {
            super("No node answers at " + server + " (" + cause + "). Start one with `vivarium up`, or name another one"
                    + " with --server or VIVARIUM_SERVER.");
        }
    }

    /** The node refused the request, and says why. */
    public static final class Refused extends ApiException {
        private static final long serialVersionUID = 1L;

        private final transient Problem problem;

        Refused(Problem problem) {
            super(problem.detail() == null || problem.detail().isBlank() ? problem.title() : problem.detail());
            this.problem = problem;
        }

        public Problem problem() {
            return problem;
        }
    }

    /** The answer did not come from a Vivarium node of a compatible version. */
    public static final class Garbled extends ApiException {
        private static final long serialVersionUID = 1L;

        Garbled(URI server, String what) {
            super("What answers at " + server + " does not speak Vivarium's API (" + what
                    + "). Is it the right address," + " and does its version fit this client's?");
        }
    }
}
