package dev.vivarium.terminal;

/** The user's request cannot be carried out; has the sentence to print and the exit code. */
public final class UserError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    public UserError(int exitCode, String sentence) {
        super(sentence);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
