package dev.vivarium.persistence.journal;

import java.util.concurrent.CompletionException;

/** The failure of a stage, of the store or of anything else that answers later. */
public final class StageFailure {
    private StageFailure() {}

    /** The failure of the step itself, where a later stage has wrapped it. */
    public static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
