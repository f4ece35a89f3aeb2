package dev.vivarium.loadtests.history;

import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;

/**
 * One request of a client, and what came of it.
 *
 * @param key the idempotency key of the task that it was about
 * @param ask what was asked for
 * @param node which node was asked
 * @param asked when
 * @param answered when the answer, or the lack of one, was there
 * @param told what was answered
 */
public record Heard(String key, Ask ask, int node, Instant asked, Instant answered, Told told) {
    /** What can be asked for. */
    public enum Ask {
        SUBMIT,
        CANCEL,
        READ
    }

    /** What can be answered. */
    public sealed interface Told {}

    /** 202: the run is promised, or its end has been asked for. */
    public record Accepted(String run) implements Told {}

    /** Another status: nothing is promised. */
    public record Refused(int status, String type) implements Told {}

    /** No answer: nothing is known. */
    public record Silence(String why) implements Told {}

    /** How the run stood. */
    public record Stood(String run, RunStatus status, int attempt) implements Told {}

    /** The newest event of the run: since each hash covers the one before, this says what the whole history was. */
    public record Reached(String run, long seq, String hash) implements Told {}

    /** In one line, for a timeline. */
    public String line() {
        String who = ask + " " + key + " to node " + node + ": ";
        if (told instanceof Accepted accepted) {
            return who + "202, run " + accepted.run;
        }
        if (told instanceof Refused refused) {
            return who + refused.status + " " + refused.type;
        }
        if (told instanceof Silence silence) {
            return who + "no answer (" + silence.why + ")";
        }
        if (told instanceof Stood stood) {
            return who + stood.status + " in attempt " + stood.attempt;
        }
        Reached reached = (Reached) told;
        return who + "event " + reached.seq + " is " + abbreviated(reached.hash);
    }

    private static String abbreviated(String hash) {
        return hash.length() <= 12 ? hash : hash.substring(0, 12);
    }
}
