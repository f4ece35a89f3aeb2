package dev.vivarium.persistence.content;

import com.typesafe.config.Config;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.time.Duration;

/**
 * When unused contents are swept.
 *
 * @param interval the pause between sweeps
 * @param grace how long a blob without holds is kept after it was last written, and how long an upload may make no
 *     progress
 */
public record BlobSweepSettings(Duration interval, Duration grace) {
    private static final Duration GRACE_MIN = Duration.ofMinutes(15);

    public BlobSweepSettings {
        if (interval.isNegative() || interval.isZero()) {
            throw new IllegalArgumentException("The interval between two sweeps must be longer than zero.");
        }
        if (grace.compareTo(GRACE_MIN) < 0) {
            throw new IllegalArgumentException("Blobs must be kept for " + GRACE_MIN.toMinutes()
                    + " minutes at least, or submissions in progress lose theirs.");
        }
    }

    /**
     * Reads {@code vivarium.store.blobs}.
     *
     * @throws StoreUnavailable with a sentence that names the keys when their values are invalid
     */
    public static BlobSweepSettings from(Config blobs) {
        try {
            return new BlobSweepSettings(blobs.getDuration("sweep-interval"), blobs.getDuration("grace"));
        } catch (IllegalArgumentException senseless) {
            throw new StoreUnavailable("vivarium.store.blobs: " + senseless.getMessage(), senseless);
        }
    }

    /** The defaults. */
    public static final BlobSweepSettings STANDARD =
            new BlobSweepSettings(Duration.ofMinutes(10), Duration.ofHours(24));
}
