package dev.vivarium.persistence.follow;

import java.util.function.BooleanSupplier;

/** Compares actual with desired state and repairs the difference, whatever signal was lost. */
public interface Sweep {
    /** The subject of the sentence "... cannot be looked at for now". */
    String what();

    /**
     * One complete sweep.
     *
     * @param goOn checked between items; when it returns false the rest is left to the next sweep
     */
    void sweep(BooleanSupplier goOn) throws InterruptedException;
}
