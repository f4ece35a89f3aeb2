package dev.vivarium.persistence.store;

import com.github.f4b6a3.ulid.Ulid;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Locale;

/** When a run was submitted, as its id says, to the millisecond. */
public final class SubmissionTime {
    private SubmissionTime() {}

    public static Instant of(RunId run) {
        return Ulid.from(run.value()).getInstant();
    }

    /** The text that all ids of runs from this time on follow, and none of an earlier one. */
    public static String bound(Instant time) {
        return Ulid.min(Math.max(0, time.toEpochMilli())).toString().toLowerCase(Locale.ROOT);
    }
}
