package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What happens to a run whose attempt was interrupted through no fault of its own. */
public enum NodeLossPolicy {
    /** Start the next attempt in a fresh sandbox, up to the run's {@code maxAttempts}. */
    @JsonProperty("restart")
    RESTART,
    /** End the run. */
    @JsonProperty("fail")
    FAIL
}
