package dev.vivarium.node.cli.cluster;

import java.util.List;

/** Why a command on a local cluster failed, as a sentence that says what to do. */
public final class ClusterProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final String[] details;

    /** The kinds of problems. */
    public enum Kind {
        /** The request does not apply to this cluster. */
        USAGE,
        /** There is no such cluster, or no such member. */
        NOT_FOUND,
        /** Something that it needs is missing, in use or does not start. */
        UNAVAILABLE,
        /** Another process is using the cluster. */
        BUSY
    }

    ClusterProblem(Kind kind, String sentence) {
        this(kind, sentence, List.of());
    }

    /**
     * @param details a program's output, line by line
     */
    ClusterProblem(Kind kind, String sentence, List<String> details) {
        super(sentence);
        this.kind = kind;
        this.details = details.toArray(String[]::new);
    }

    /** A program's output about it, line by line. */
    public List<String> details() {
        return List.of(details);
    }

    public Kind kind() {
        return kind;
    }
}
