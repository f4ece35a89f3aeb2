package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxSample;
import java.util.Optional;

/**
 * A sample of a sandbox whose kernel keeps files and programs in one memory, and whose files only its guest can tell: ten
 * times a second while they change, else rarer, so later than they are written, while their memory may be freed later than they
 * are deleted. How much of the sample was memory is known when the guest has told of files twice since, so that the second
 * look began after the sample: it is what the sample had beyond the most that was told from the sample before until then. A
 * guest that tells nothing, since its agent leaves it no time, is not waited for longer than {@value #PATIENCE_MILLIS} ms; until
 * then the kernel's limit of memory and disk together holds. Pure and immutable.
 *
 * @param sample the sample, if there has been one
 * @param takenAtMillis when it was taken, since the start of the agent's process
 * @param storedBefore the most that the guest told of files, in bytes, between it and the sample before
 * @param storedSince the most since, beginning with what was known at the sample
 * @param told how often the guest has told since
 * @param memoryBytes the memory of the last sample that is settled; zero before there is one
 */
record Unsettled(
        Optional<SandboxSample> sample,
        long takenAtMillis,
        long storedBefore,
        long storedSince,
        int told,
        long memoryBytes) {
    static final Unsettled NONE = new Unsettled(Optional.empty(), 0, 0, 0, 0, 0);

    private static final int LOOKS = 2;
    private static final long PATIENCE_MILLIS = 5000;

    /** The guest tells of files. */
    Unsettled told(long storedBytes) {
        return new Unsettled(
                sample, takenAtMillis, storedBefore, Math.max(storedSince, storedBytes), told + 1, memoryBytes);
    }

    /** A further sample, when the guest's last word was this. It is taken up when the one before is settled. */
    Unsettled followedBy(SandboxSample next, long storedNow, long nowMillis) {
        boolean isOpen = sample.isPresent() && told < LOOKS && nowMillis - takenAtMillis < PATIENCE_MILLIS;
        return isOpen ? this : new Unsettled(Optional.of(next), nowMillis, storedSince, storedNow, 0, settled());
    }

    private long settled() {
        long stored = Math.max(storedBefore, storedSince);
        return sample.map(taken -> taken.anonymousBytes() + Math.max(0, taken.sharedBytes() - stored))
                .orElse(0L);
    }
}
