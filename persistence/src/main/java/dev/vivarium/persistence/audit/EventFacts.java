package dev.vivarium.persistence.audit;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.protocol.run.RunEvent;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/**
 * What an event is found by. An event of a newer node is read as far as all events are alike: its name, time, node and
 * principal are where they always were, so an old node gives it a position like any other.
 *
 * @param event the event; empty when this version cannot read it
 */
record EventFacts(Instant at, String type, String node, Optional<String> by, Optional<RunEvent> event) {
    /** The name of an entry that is damaged beyond reading. */
    static final String DAMAGED = "Damaged";

    private static final EventCodec CODEC = EventCodec.standard();

    /**
     * Reads an entry.
     *
     * @param fallback the time of an entry that says none
     */
    static EventFacts of(JournalEntry entry, Instant fallback) {
        try {
            RunEvent event = CODEC.decode(entry);
            return new EventFacts(event.at(), entry.type(), event.node(), by(event), Optional.of(event));
        } catch (UnreadableEntry newer) {
            JsonNode json = json(entry);
            return new EventFacts(
                    instant(json.path("at").asText()).orElse(fallback),
                    entry.type(),
                    json.path("node").asText(),
                    text(json.path("by")),
                    Optional.empty());
        }
    }

    private static Optional<String> by(RunEvent event) {
        return event instanceof RunEvent.RunSubmitted submitted
                ? Optional.of(submitted.by().toString())
                : text(JournalJson.MAPPER.valueToTree(event).path("by"));
    }

    private static Optional<String> text(JsonNode value) {
        return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
    }

    private static JsonNode json(JournalEntry entry) {
        try {
            return JournalJson.MAPPER.readTree(entry.payload().toByteArray());
        } catch (IOException damaged) {
            return JournalJson.MAPPER.missingNode();
        }
    }

    private static Optional<Instant> instant(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeException none) {
            return Optional.empty();
        }
    }
}
