package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.Optional;

/**
 * An event in the order over all runs, as the API shows it.
 *
 * @param position the event's place in that order, from 0 without gaps; never changes
 * @param run the event's run; the act's own id, which begins with 7, where it is an administrative act
 * @param seq the event's number in its run
 * @param at when it happened, by the recording node's clock
 * @param type the event's name
 * @param node the node that recorded it
 * @param tenant the run's tenant, or the one that an act concerns; "" where it concerns no single one
 * @param image the run's image; "" of an act
 * @param by the principal that caused it, if the event names one
 * @param reason why the run was killed, if it was
 * @param event the event itself, as the run's history shows it; empty when this node cannot read it
 * @param hash hash over the event's stored bytes and those of all before it in its run, in hex
 */
public record AuditEventView(
        long position,
        RunId run,
        long seq,
        Instant at,
        String type,
        String node,
        String tenant,
        String image,
        Optional<String> by,
        Optional<String> reason,
        Optional<EventView> event,
        String hash) {}
