package dev.vivarium.node.cli.cluster;

/** Why a local cluster cannot do what it was asked, as a sentence that says what to do. */
public final class ClusterProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

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
        super(sentence);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
