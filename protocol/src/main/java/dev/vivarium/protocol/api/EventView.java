package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Optional;

/**
 * One event of a run's history as the API shows it.
 *
 * @param run the run; the act's own id, which begins with 7, where it is an administrative act
 * @param seq the event's number in the run, from 1 without gaps
 * @param type the event's name
 * @param at when it happened
 * @param node the node that recorded it
 * @param data the event itself; secrets and file contents are not in it
 * @param previousHash hash of the previous event, in hex; for the first event, hash of the run's id
 * @param hash hash over the previous hash and this event's stored bytes, in hex
 */
public record EventView(
        RunId run,
        long seq,
        String type,
        Instant at,
        String node,
        // Repeated here because the events' own type information is lost through a field of this declared type.
        @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "type") Object data,
        String previousHash,
        String hash) {

    /** The acceptance of a run, with the spec in the form that the API shows. */
    public record RunSubmitted(
            Instant at, String node, Principal by, RunId runId, SpecView spec, Optional<Origin> origin) {}

    /** The view of an administrative act, whose own id stands in the place of a run's. */
    public static EventView of(RunId id, Act act, String previousHash, String hash) {
        return new EventView(id, 1, act.getClass().getSimpleName(), act.at(), act.node(), act, previousHash, hash);
    }

    /** The view of an event. */
    public static EventView of(RunId run, long seq, RunEvent event, String previousHash, String hash) {
        Object data = event instanceof RunEvent.RunSubmitted submitted
                ? new RunSubmitted(
                        event.at(),
                        event.node(),
                        submitted.by(),
                        run,
                        SpecView.of(submitted.spec()),
                        submitted.origin())
                : event;
        return new EventView(
                run, seq, event.getClass().getSimpleName(), event.at(), event.node(), data, previousHash, hash);
    }
}
