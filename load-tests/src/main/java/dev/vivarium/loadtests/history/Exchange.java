package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunStatus;
import java.time.Duration;
import java.time.Instant;

/**
 * One request of a client, and its answer.
 *
 * @param key the task's idempotency key
 * @param ask the kind of request
 * @param node the node
 * @param asked when
 * @param answered when the answer or the failure arrived
 * @param answer the answer
 */
public record Exchange(String key, Ask ask, int node, Instant asked, Instant answered, Answer answer) {
    /** The kinds of requests. */
    public enum Ask {
        SUBMIT,
        CANCEL,
        RENEW,
        READ
    }

    /** The kinds of answers. */
    public sealed interface Answer {}

    /** 202: the run is promised, or its cancellation is. */
    public record Accepted(String run) implements Answer {}

    /** 200: the run has this wall clock, and is not killed at an earlier one. */
    public record Renewed(String run, Duration wallClock) implements Answer {}

    /** Another status: nothing is promised. */
    public record Refused(int status, String type) implements Answer {}

    /** No answer: the outcome is unknown. */
    public record NoAnswer(String why) implements Answer {}

    /** The run's status. */
    public record CurrentStatus(String run, RunStatus status, int attempt) implements Answer {}

    /** The run's latest event. Its hash covers the whole history before it. */
    public record LatestEvent(String run, long seq, String hash) implements Answer {}

    /** One line for a timeline. */
    public String line() {
        String request = ask + " " + key + " to node " + node + ": ";
        if (answer instanceof Accepted accepted) {
            return request + "202, run " + accepted.run;
        }
        if (answer instanceof Renewed renewed) {
            return request + "200, run " + renewed.run + " has " + renewed.wallClock;
        }
        if (answer instanceof Refused refused) {
            return request + refused.status + " " + refused.type;
        }
        if (answer instanceof NoAnswer missing) {
            return request + "no answer (" + missing.why + ")";
        }
        if (answer instanceof CurrentStatus current) {
            return request + current.status + " in attempt " + current.attempt;
        }
        LatestEvent latest = (LatestEvent) answer;
        return request + "event " + latest.seq + " is " + abbreviated(latest.hash);
    }

    private static String abbreviated(String hash) {
        return hash.length() <= 12 ? hash : hash.substring(0, 12);
    }
}
