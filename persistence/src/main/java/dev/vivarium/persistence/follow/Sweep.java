package dev.vivarium.persistence.follow;

import java.util.function.BooleanSupplier;

/** Compares what there is with what should be and mends the difference, whatever signal was lost. */
public interface Sweep {
    /** What completes the sentence "... cannot be looked at for now". */
    String what();

    /**
     * Looks at everything once.
     *
     * @param goOn to be asked between two things; when it says no the rest is left to the next sweep
     */
    void sweep(BooleanSupplier goOn) throws InterruptedException;
}
