package dev.vivarium.persistence.audit;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.persistence.journal.ChainPersistenceId;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/**
 * What an event is found by. An event of a newer node is read as far as all events are alike: its name, time, node and
 * principal are where they always were, so an old node gives it a position like any other. An administrative act is never
 * read any further.
 *
 * @param tenant the tenant that an act names
 * @param event the run's event; empty when this version cannot read it, and of an act
 */
record EventFacts(
        Instant at, String type, String node, Optional<String> by, Optional<String> tenant, Optional<RunEvent> event) {
    /** The name of an entry that is damaged beyond reading. */
    static final String DAMAGED = "Damaged";

    private static final EventCodec CODEC = EventCodec.standard();

    /**
     * Reads an entry of a chain.
     *
     * @param fallback the time of an entry that says none
     */
    static EventFacts of(RunId chain, JournalEntry entry, Instant fallback) {
        if (ChainPersistenceId.isAct(chain)) {
            return alike(entry, fallback);
        }
        try {
            RunEvent event = CODEC.decode(entry);
            return new EventFacts(
                    event.at(), entry.type(), event.node(), by(event), Optional.empty(), Optional.of(event));
        } catch (UnreadableEntry newer) {
            return alike(entry, fallback);
        }
    }

    private static EventFacts alike(JournalEntry entry, Instant fallback) {
        JsonNode json = json(entry);
        return new EventFacts(
                instant(json.path("at").asText()).orElse(fallback),
                entry.type(),
                json.path("node").asText(),
                text(json.path("by")),
                text(json.path("tenant")),
                Optional.empty());
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
