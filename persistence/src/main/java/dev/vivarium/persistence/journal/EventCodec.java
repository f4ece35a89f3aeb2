package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.persistence.journal.UnreadableEntry.Reason;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Turns events into journal entries and back. Pure, and safe for use by many threads.
 *
 * <p>Every event type has a version, from 1. To change an event's shape, raise its version in {@link #VERSIONS} and
 * register an {@link Upcaster} from the old version; what is in the journal is never rewritten.
 *
 * <p>Entries of a run form a chain: each holds the hash of the one before. The hash covers the stored bytes, each field
 * preceded by its length, so that no two different entries have the same input to the hash.
 */
public final class EventCodec {
    /** Versions of the events whose shape has changed since they were first written; all others are at 1. */
    private static final Map<String, Integer> VERSIONS = Map.of(
            "AlarmRaised", 5,
            "AttemptInterrupted", 2,
            "CancelRequested", 2,
            "EgressUsed", 2,
            "RunCancelled", 2,
            "RunFailed", 2,
            "RunKilled", 5,
            "RunSubmitted", InlineFiles.REFERENCES_SINCE,
            "RunSucceeded", 2);

    /** More than any link carries in a day. */
    private static final String NO_LIMIT = "1024Ti";

    private static final String BY = "by";

    /**
     * Who caused what was journaled before events named that. Nodes did not authenticate then: they took whoever reached
     * them, or could stop their process, for the local operator, and knew no one else.
     */
    private static final String UNAUTHENTICATED = "local:operator";

    /** The upcasters that today's journal needs. */
    private static final Map<EventShape, Upcaster> UPCASTERS = Map.ofEntries(
            // Version 2 may measure in BYTES_PER_SECOND, which a node of before could not read.
            Map.entry(new EventShape("AlarmRaised", 1), new Upcaster(new EventShape("AlarmRaised", 2), json -> json)),
            Map.entry(new EventShape("RunKilled", 1), new Upcaster(new EventShape("RunKilled", 2), json -> json)),
            // Version 3 may name the reason EGRESS_SCAN.
            Map.entry(new EventShape("AlarmRaised", 2), new Upcaster(new EventShape("AlarmRaised", 3), json -> json)),
            Map.entry(new EventShape("RunKilled", 2), new Upcaster(new EventShape("RunKilled", 3), json -> json)),
            // Version 4 may name the reason EGRESS_BYTES.
            Map.entry(new EventShape("AlarmRaised", 3), new Upcaster(new EventShape("AlarmRaised", 4), json -> json)),
            Map.entry(new EventShape("RunKilled", 3), new Upcaster(new EventShape("RunKilled", 4), json -> json)),
            // Version 2 tells bytes by destination; before, they were told in all only.
            Map.entry(new EventShape("EgressUsed", 1), new Upcaster(new EventShape("EgressUsed", 2), json -> {
                json.path("mostReached").forEach(reach -> {
                    if (reach instanceof ObjectNode one) {
                        one.put("bytesOut", 0).put("bytesIn", 0);
                    }
                });
                return json;
            })),
            // Version 2 lists the destinations of an allowlist; before, there were no runs with one.
            Map.entry(new EventShape("RunSubmitted", 1), new Upcaster(new EventShape("RunSubmitted", 2), json -> {
                if (json.path("spec").path("egress") instanceof ObjectNode egress) {
                    egress.putArray("allow");
                }
                return json;
            })),
            // Version 3 limits bytes over the network; before, they had no limit.
            Map.entry(new EventShape("RunSubmitted", 2), new Upcaster(new EventShape("RunSubmitted", 3), json -> {
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("egressBytes", NO_LIMIT);
                }
                return json;
            })),
            // Version 4 names headers that the node adds; before, it added none.
            Map.entry(new EventShape("RunSubmitted", 3), new Upcaster(new EventShape("RunSubmitted", 4), json -> {
                if (json.path("spec").path("egress") instanceof ObjectNode egress) {
                    egress.putArray("inject");
                }
                return json;
            })),
            // Version 5 may name the reason FILES.
            Map.entry(new EventShape("AlarmRaised", 4), new Upcaster(new EventShape("AlarmRaised", 5), json -> json)),
            // The next version of each end tells the most files that there were; before, nobody counted them.
            Map.entry(new EventShape("RunKilled", 4), uncountedFiles("RunKilled", 5)),
            Map.entry(new EventShape("RunSucceeded", 1), uncountedFiles("RunSucceeded", 2)),
            Map.entry(new EventShape("RunFailed", 1), uncountedFiles("RunFailed", 2)),
            Map.entry(new EventShape("RunCancelled", 1), uncountedFiles("RunCancelled", 2)),
            // Version 5 names who submitted the run, and its tenant by itself; before, a label did. It limits files;
            // before, their number followed from the size of the disk. And it refers to the contents of files; before,
            // they
            // were in it.
            Map.entry(new EventShape("RunSubmitted", 4), new Upcaster(new EventShape("RunSubmitted", 5), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.put("tenant", spec.path("labels").path("tenant").asText(Tenant.DEFAULT.name()));
                }
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("files", filesOf(limits.path("disk").asText()));
                }
                return InlineFiles.toReferences(json).put(BY, UNAUTHENTICATED);
            })),
            // Version 2 names who asked.
            Map.entry(
                    new EventShape("CancelRequested", 1),
                    new Upcaster(new EventShape("CancelRequested", 2), json -> json.put(BY, UNAUTHENTICATED))),
            // Version 2 names who drained the node; other interruptions are nobody's wish.
            Map.entry(
                    new EventShape("AttemptInterrupted", 1),
                    new Upcaster(
                            new EventShape("AttemptInterrupted", 2),
                            json -> json.path("cause").asText().equals(Interruption.DRAINED.name())
                                    ? json.put(BY, UNAUTHENTICATED)
                                    : json.putNull(BY))));

    private static final EventCodec STANDARD = new EventCodec(currentVersions(), UPCASTERS);

    private static final String TYPE = "type";

    /** Views of runs may lack limits that came later; an event that does was changed without giving it a new version. */
    private static final ObjectReader READER = JournalJson.MAPPER
            .rebuild()
            .addMixIn(Limits.class, AllLimits.class)
            .build()
            .readerFor(RunEvent.class);

    private final Map<String, Integer> versions;
    private final Map<EventShape, Upcaster> upcasters;

    EventCodec(Map<String, Integer> versions, Map<EventShape, Upcaster> upcasters) {
        this.versions = Map.copyOf(versions);
        this.upcasters = Map.copyOf(upcasters);
    }

    /** Says to Jackson which of its makers Limits are read with. */
    private abstract static class AllLimits {
        @JsonCreator(mode = JsonCreator.Mode.DISABLED)
        static Limits ofKnown(Map<String, Object> json) {
            return Limits.ofKnown(json);
        }

        @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
        static Limits ofAll(Map<String, Object> json) {
            return Limits.ofAll(json);
        }
    }

    /** The codec of today's events. */
    public static EventCodec standard() {
        return STANDARD;
    }

    private static Upcaster uncountedFiles(String end, int version) {
        return new Upcaster(new EventShape(end, version), json -> {
            if (json.path("usage") instanceof ObjectNode usage) {
                usage.put("filesPeak", 0);
            }
            return json;
        });
    }

    /** One for each 8 KiB, from 1024 to 262144. */
    private static long filesOf(String disk) {
        return Math.max(1024, Math.min(1 << 18, ByteSize.parse(disk).bytes() / 8192));
    }

    static Map<String, Integer> currentVersions() {
        Map<String, Integer> versions = new HashMap<>();
        eventTypes(RunEvent.class).forEach(type -> versions.put(type.getSimpleName(), 1));
        versions.putAll(VERSIONS);
        return versions;
    }

    private static Stream<Class<?>> eventTypes(Class<?> type) {
        return type.isRecord()
                ? Stream.of(type)
                : Stream.of(type.getPermittedSubclasses()).flatMap(EventCodec::eventTypes);
    }

    /** The hash before a run's first entry: it ties the chain to the run, so that no entry fits into another run's. */
    public static Blob genesis(RunId run) {
        return Blob.of(sha256().digest(("vivarium.run:" + run).getBytes(StandardCharsets.UTF_8)));
    }

    /** The entry of an event that follows the entry with the given hash; {@link #genesis} for a run's first one. */
    public JournalEntry encode(RunEvent event, Blob previousHash) {
        String type = event.getClass().getSimpleName();
        Integer version = versions.get(type);
        if (version == null) {
            throw new IllegalArgumentException(type + " is not an event that this codec knows.");
        }
        Blob payload;
        try {
            payload = Blob.of(JournalJson.MAPPER.writerFor(RunEvent.class).writeValueAsBytes(event));
        } catch (JsonProcessingException notWritable) {
            throw new IllegalArgumentException("The event " + type + " cannot be written as JSON.", notWritable);
        }
        return new JournalEntry(type, version, payload, previousHash, hash(previousHash, type, version, payload));
    }

    /**
     * The event of an entry, brought to today's shape.
     *
     * @throws UnreadableEntry for an entry that this version of the code cannot read, saying why
     */
    public RunEvent decode(JournalEntry entry) {
        EventShape stored = new EventShape(entry.type(), entry.version());
        try {
            JsonNode json = JournalJson.MAPPER.readTree(entry.payload().toByteArray());
            if (!(json instanceof ObjectNode object)) {
                throw new UnreadableEntry(Reason.DAMAGED, stored, null);
            }
            return READER.readValue(upcast(stored, object));
        } catch (IOException | IllegalArgumentException notReadable) {
            throw new UnreadableEntry(Reason.DAMAGED, stored, notReadable);
        }
    }

    /** Applies upcasters, each a step towards today's shape, until none is needed. */
    private ObjectNode upcast(EventShape stored, ObjectNode payload) {
        EventShape shape = stored;
        ObjectNode json = payload;
        for (Upcaster step = upcasters.get(shape); step != null; step = upcasters.get(shape)) {
            json = step.upcast().apply(json);
            shape = step.to();
        }
        Integer current = versions.get(shape.type());
        if (current == null) {
            throw new UnreadableEntry(Reason.UNKNOWN_TYPE, stored, null);
        }
        if (shape.version() > current) {
            throw new UnreadableEntry(Reason.NEWER_VERSION, stored, null);
        }
        if (shape.version() < current) {
            throw new UnreadableEntry(Reason.NO_UPCASTER, stored, null);
        }
        return json.put(TYPE, shape.type());
    }

    /** SHA-256 over previous hash, type, version and payload, each preceded by its length in four bytes. */
    static Blob hash(Blob previousHash, String type, int version, Blob payload) {
        MessageDigest digest = sha256();
        update(digest, previousHash.toByteArray());
        update(digest, type.getBytes(StandardCharsets.UTF_8));
        update(digest, ByteBuffer.allocate(Integer.BYTES).putInt(version).array());
        update(digest, payload.toByteArray());
        return Blob.of(digest.digest());
    }

    private static void update(MessageDigest digest, byte[] field) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(field.length).array());
        digest.update(field);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }
}
