package dev.vivarium.node.cli.cluster;

import java.util.List;

/** Why a local cluster cannot do what it was asked, as a sentence that says what to do. */
public final class ClusterProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final String[] details;

    /** Whose turn it is. */
    public enum Kind {
        /** What was asked makes no sense for this cluster. */
        USAGE,
        /** There is no such cluster, or no such member. */
        NOT_FOUND,
        /** Something that it needs is missing, taken or does not start. */
        UNAVAILABLE,
        /** Somebody else is at work on it. */
        BUSY
    }

    ClusterProblem(Kind kind, String sentence) {
        this(kind, sentence, List.of());
    }

    /**
     * @param details what a program said, line by line
     */
    ClusterProblem(Kind kind, String sentence, List<String> details) {
        super(sentence);
        this.kind = kind;
        this.details = details.toArray(String[]::new);
    }

    /** What a program said about it, line by line. */
    public List<String> details() {
        return List.of(details);
    }

    public Kind kind() {
        return kind;
    }
}
