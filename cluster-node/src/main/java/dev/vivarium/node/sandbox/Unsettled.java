package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import java.util.Optional;

/**
 * The last sample of a sandbox whose kernel keeps files and programs in one memory, and whose files only its guest can tell: some
 * ten times a second, so later than they are written, while their memory may be freed later than they are deleted. How much
 * of the sample was memory is known at the next one, from the most that the guest has told of files from the sample before
 * until then. Pure and immutable.
 *
 * @param sample the sample, if there has been one
 * @param storedBefore the most that the guest told of files, in bytes, between it and the sample before
 * @param storedSince the most since, beginning with what was known at the sample
 */
record Unsettled(Optional<SandboxSample> sample, long storedBefore, long storedSince) {
    static final Unsettled NONE = new Unsettled(Optional.empty(), 0, 0);

    /** The guest tells of files. */
    Unsettled told(long storedBytes) {
        return new Unsettled(sample, storedBefore, Math.max(storedSince, storedBytes));
    }

    /** The memory of the sample, settled; zero before there is one. */
    long memoryBytes() {
        long stored = Math.max(storedBefore, storedSince);
        return sample.map(taken -> taken.anonymousBytes() + Math.max(0, taken.sharedBytes() - stored))
                .orElse(0L);
    }

    /** A further sample, when the guest's last word was this. */
    Unsettled followedBy(SandboxSample next, long storedNow) {
        return new Unsettled(Optional.of(next), storedSince, storedNow);
    }
}
