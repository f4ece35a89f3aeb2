package dev.vivarium.protocol.api;

import java.util.List;
import java.util.Optional;

/**
 * One page of a run's history, oldest first.
 *
 * @param events the events of this page
 * @param next the sequence number to ask from for the next page; empty when nothing more has happened yet
 */
public record EventPage(List<EventView> events, Optional<Long> next) {
    public EventPage {
        events = List.copyOf(events);
    }
}
