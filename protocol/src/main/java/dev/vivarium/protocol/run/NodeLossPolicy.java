package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What becomes of a run whose attempt was interrupted by something that was not its own doing. */
public enum NodeLossPolicy {
    /** Start the next attempt in a fresh sandbox, up to the run's {@code maxAttempts}. */
    @JsonProperty("restart")
    RESTART,
    /** End the run. */
    @JsonProperty("fail")
    FAIL
}
