package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.Nulls;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A line of an export of events: {@link Begin}, the events by rising position, and {@link End}. A file without its end was
 * cut off. A file that was resumed has another {@link Begin} where it goes on. Hashes of the log's tree are in base64,
 * those of a run's chain in hexadecimal, as in the other answers of the API.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "line")
@JsonSubTypes({
    @JsonSubTypes.Type(value = ExportLine.Begin.class, name = "begin"),
    @JsonSubTypes.Type(value = ExportLine.Event.class, name = "event"),
    @JsonSubTypes.Type(value = ExportLine.Removed.class, name = "removed"),
    @JsonSubTypes.Type(value = ExportLine.Missing.class, name = "missing"),
    @JsonSubTypes.Type(value = ExportLine.Deletion.class, name = "deletion"),
    @JsonSubTypes.Type(value = ExportLine.End.class, name = "end")
})
public sealed interface ExportLine {
    /** The format's name and version. */
    String FORMAT = "vivarium.dev/audit-export@v1";

    /**
     * The first line.
     *
     * @param from the first position
     * @param to the position after the last one
     * @param filter which events, by the names of the API's parameters; all of them when it is empty
     * @param before the full subtrees of the log over the positions before the first, from the left to the right; none
     *     when a filter narrows the export
     */
    record Begin(String format, long from, long to, Map<String, List<String>> filter, List<String> before)
            implements ExportLine {
        public Begin {
            Objects.requireNonNull(format, "format");
            filter = Map.copyOf(filter);
            before = List.copyOf(before);
        }
    }

    /**
     * An event as it is stored: everything that its hash covers, and nothing else.
     *
     * @param position its place in the order over all runs
     * @param seq its number in its run
     * @param type its name
     * @param version the version of its form
     * @param previousHash the hash of the event before it in its run
     * @param payload its content, which is JSON; empty when that is no UTF-8
     * @param payloadBytes the content that is no UTF-8, in base64
     * @param leaf the hash that the log has at its position; empty when a filter narrows the export
     */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Event(
            long position,
            RunId run,
            long seq,
            String type,
            int version,
            String previousHash,
            Optional<String> payload,
            Optional<String> payloadBytes,
            Optional<String> leaf)
            implements ExportLine {
        public Event {
            Objects.requireNonNull(run, "run");
            Objects.requireNonNull(type, "type");
            Objects.requireNonNull(previousHash, "previousHash");
        }
    }

    /** An event that has a position and is gone from the journal. */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Removed(long position, RunId run, long seq, String type, Optional<String> leaf) implements ExportLine {
        public Removed {
            Objects.requireNonNull(run, "run");
            Objects.requireNonNull(type, "type");
        }
    }

    /**
     * Positions of which the store has nothing any more: the events were deleted, and then an act at a later position
     * names them, or somebody has removed them.
     *
     * @param from the first one
     * @param to the one after the last
     * @param leaves the hashes that the log has at these positions, one for each, which lead to its root without the
     *     events; empty when it has none either
     */
    record Missing(long from, long to, @JsonSetter(nulls = Nulls.AS_EMPTY) List<String> leaves) implements ExportLine {
        public Missing {
            leaves = List.copyOf(leaves);
        }
    }

    /**
     * An act that comes after the exported positions and has deleted events before its own: it explains lines {@link
     * Missing}.
     *
     * @param proof the act's proof, in the format of {@code GET /v1/runs/{id}/proof}, with a checkpoint of its own
     */
    record Deletion(String proof) implements ExportLine {
        public Deletion {
            Objects.requireNonNull(proof, "proof");
        }
    }

    /**
     * The last line: the export has all events that it was asked for.
     *
     * @param from the first position that was asked for; of a resumed export, where it was resumed last
     * @param to the position after the last one
     * @param after the full subtrees of the log from there to the checkpoint, from the left to the right; none when a
     *     filter narrows the export
     * @param checkpoint the log's signed checkpoint
     */
    record End(long from, long to, List<String> after, String checkpoint) implements ExportLine {
        public End {
            after = List.copyOf(after);
            Objects.requireNonNull(checkpoint, "checkpoint");
        }
    }
}
