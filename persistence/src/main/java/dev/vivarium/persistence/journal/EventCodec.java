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
import dev.vivarium.protocol.run.Usage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Converts events to journal entries and back. Pure and thread-safe.
 *
 * <p>Every event type has a version, from 1. To change an event's shape, raise its version in {@link #VERSIONS} and
 * register an {@link Upcaster} from the old version; the journal is never rewritten.
 *
 * <p>Entries of a run form a chain: each holds its predecessor's hash. The hash covers the stored bytes, each field
 * preceded by its length, so that different entries never give the hash the same input.
 */
public final class EventCodec {
    private static final Set<String> TYPES = EntryTypes.below(RunEvent.class);

    /** Versions of the events whose shape has changed since they were first written; all others are at 1. */
    private static final Map<String, Integer> VERSIONS = Map.ofEntries(
            Map.entry("AlarmRaised", 6),
            Map.entry("AttemptInterrupted", 2),
            Map.entry("AttemptStarted", 2),
            Map.entry("CancelRequested", 3),
            Map.entry("DeadlineMoved", 2),
            Map.entry("EgressUsed", 2),
            Map.entry("RunCancelled", 3),
            Map.entry("RunFailed", 3),
            Map.entry("RunKilled", 6),
            Map.entry("RunNotStarted", 2),
            Map.entry("RunSubmitted", 13),
            Map.entry("RunSucceeded", 3));

    /** More than a link can carry. */
    private static final String NO_LIMIT = "1024Ti";

    private static final String BY = "by";

    /**
     * The principal of events written before events named one. Nodes did not authenticate then: everyone who could
     * reach one, or stop its process, was the local operator.
     */
    private static final String UNAUTHENTICATED = "local:operator";

    /** The upcasters to today's versions. */
    private static final Map<EventShape, Upcaster> UPCASTERS = Map.ofEntries(
            // Version 2 may measure in BYTES_PER_SECOND, which older nodes cannot read.
            Map.entry(new EventShape("AlarmRaised", 1), new Upcaster(new EventShape("AlarmRaised", 2), json -> json)),
            Map.entry(new EventShape("RunKilled", 1), new Upcaster(new EventShape("RunKilled", 2), json -> json)),
            // Version 3 may name the reason EGRESS_SCAN.
            Map.entry(new EventShape("AlarmRaised", 2), new Upcaster(new EventShape("AlarmRaised", 3), json -> json)),
            Map.entry(new EventShape("RunKilled", 2), new Upcaster(new EventShape("RunKilled", 3), json -> json)),
            // Version 4 may name the reason EGRESS_BYTES.
            Map.entry(new EventShape("AlarmRaised", 3), new Upcaster(new EventShape("AlarmRaised", 4), json -> json)),
            Map.entry(new EventShape("RunKilled", 3), new Upcaster(new EventShape("RunKilled", 4), json -> json)),
            // Version 2 counts bytes by destination; version 1 only in total.
            Map.entry(new EventShape("EgressUsed", 1), new Upcaster(new EventShape("EgressUsed", 2), json -> {
                json.path("mostReached").forEach(reach -> {
                    if (reach instanceof ObjectNode one) {
                        one.put("bytesOut", 0).put("bytesIn", 0);
                    }
                });
                return json;
            })),
            // Version 2 lists the destinations of an allowlist; there were no allowlists before.
            Map.entry(new EventShape("RunSubmitted", 1), new Upcaster(new EventShape("RunSubmitted", 2), json -> {
                if (json.path("spec").path("egress") instanceof ObjectNode egress) {
                    egress.putArray("allow");
                }
                return json;
            })),
            // Version 3 limits bytes over the network; they were unlimited before.
            Map.entry(new EventShape("RunSubmitted", 2), new Upcaster(new EventShape("RunSubmitted", 3), json -> {
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("egressBytes", NO_LIMIT);
                }
                return json;
            })),
            // Version 4 names the headers that the node injects; there were none before.
            Map.entry(new EventShape("RunSubmitted", 3), new Upcaster(new EventShape("RunSubmitted", 4), json -> {
                if (json.path("spec").path("egress") instanceof ObjectNode egress) {
                    egress.putArray("inject");
                }
                return json;
            })),
            // Version 5 may name the reason FILES.
            Map.entry(new EventShape("AlarmRaised", 4), new Upcaster(new EventShape("AlarmRaised", 5), json -> json)),
            // The next version of each terminal event has the peak number of files, which was not counted before.
            Map.entry(new EventShape("RunKilled", 4), uncountedFiles("RunKilled", 5)),
            Map.entry(new EventShape("RunSucceeded", 1), uncountedFiles("RunSucceeded", 2)),
            Map.entry(new EventShape("RunFailed", 1), uncountedFiles("RunFailed", 2)),
            Map.entry(new EventShape("RunCancelled", 1), uncountedFiles("RunCancelled", 2)),
            // Version 5 names the principal that submitted the run, and has the tenant as a field of its own (a label
            // before). It limits files; before, their number followed from the disk limit. And it refers to the
            // contents of files instead of including them.
            Map.entry(new EventShape("RunSubmitted", 4), new Upcaster(new EventShape("RunSubmitted", 5), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.put("tenant", spec.path("labels").path("tenant").asText(Tenant.DEFAULT.name()));
                }
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("files", filesOf(limits.path("disk").asText()));
                }
                return InlineFiles.toReferences(json).put(BY, UNAUTHENTICATED);
            })),
            // Version 6 limits what a process may have open; before, all nodes gave each process this many.
            Map.entry(new EventShape("RunSubmitted", 5), new Upcaster(new EventShape("RunSubmitted", 6), json -> {
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("openFiles", 4096);
                }
                return json;
            })),
            // Version 6 may name the reason SHARED_MEMORY.
            Map.entry(new EventShape("AlarmRaised", 5), new Upcaster(new EventShape("AlarmRaised", 6), json -> json)),
            // The next version of each terminal event has the used grace and shared memory, which were not measured
            // before.
            Map.entry(new EventShape("RunKilled", 5), unmeasuredGrace("RunKilled", 6)),
            Map.entry(new EventShape("RunSucceeded", 2), unmeasuredGrace("RunSucceeded", 3)),
            Map.entry(new EventShape("RunFailed", 2), unmeasuredGrace("RunFailed", 3)),
            Map.entry(new EventShape("RunCancelled", 2), unmeasuredGrace("RunCancelled", 3)),
            // Version 7 limits both; before, all nodes as shipped gave each run this much.
            Map.entry(new EventShape("RunSubmitted", 6), new Upcaster(new EventShape("RunSubmitted", 7), json -> {
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("grace", "25ms").put("sharedMemory", "64Mi");
                }
                return json;
            })),
            // Version 8 may have archives among the files; all were files before.
            Map.entry(new EventShape("RunSubmitted", 7), new Upcaster(new EventShape("RunSubmitted", 8), json -> {
                json.path("spec").path("files").forEach(file -> {
                    if (file instanceof ObjectNode one) {
                        one.put("form", "file");
                    }
                });
                return json;
            })),
            // Version 9 names what is kept at the end, which was nothing before.
            Map.entry(new EventShape("RunSubmitted", 8), new Upcaster(new EventShape("RunSubmitted", 9), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.putArray("artifacts");
                }
                if (json.path("spec").path("limits") instanceof ObjectNode limits) {
                    limits.put("artifacts", "64Mi");
                }
                return json;
            })),
            // Version 10 may ask for a warning before the deadline; there were none before.
            Map.entry(new EventShape("RunSubmitted", 9), new Upcaster(new EventShape("RunSubmitted", 10), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.putNull("warning");
                }
                return json;
            })),
            // The next version of each says where the request came from, which was not recorded before.
            Map.entry(new EventShape("RunSubmitted", 10), unknownOrigin("RunSubmitted", 11)),
            // Version 12 may name a webhook; there were none before.
            Map.entry(new EventShape("RunSubmitted", 11), new Upcaster(new EventShape("RunSubmitted", 12), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.putNull("webhook");
                }
                return json;
            })),
            // Version 13 may name secrets of the tenant; there were none before.
            Map.entry(new EventShape("RunSubmitted", 12), new Upcaster(new EventShape("RunSubmitted", 13), json -> {
                if (json.path("spec") instanceof ObjectNode spec) {
                    spec.putObject("namedSecrets");
                }
                return json;
            })),
            // Version 2 may have the cause SECRET_REMOVED.
            Map.entry(
                    new EventShape("RunNotStarted", 1), new Upcaster(new EventShape("RunNotStarted", 2), json -> json)),
            Map.entry(new EventShape("CancelRequested", 2), unknownOrigin("CancelRequested", 3)),
            Map.entry(new EventShape("DeadlineMoved", 1), unknownOrigin("DeadlineMoved", 2)),
            // Version 2 says how the attempt got its sandbox, and where the time went.
            Map.entry(
                    new EventShape("AttemptStarted", 1),
                    new Upcaster(new EventShape("AttemptStarted", 2), json -> json.putNull("start"))),
            // Version 2 records the principal.
            Map.entry(
                    new EventShape("CancelRequested", 1),
                    new Upcaster(new EventShape("CancelRequested", 2), json -> json.put(BY, UNAUTHENTICATED))),
            // Version 2 names the principal that drained the node; other interruptions have none.
            Map.entry(
                    new EventShape("AttemptInterrupted", 1),
                    new Upcaster(
                            new EventShape("AttemptInterrupted", 2),
                            json -> json.path("cause").asText().equals(Interruption.DRAINED.name())
                                    ? json.put(BY, UNAUTHENTICATED)
                                    : json.putNull(BY))));

    private static final EventCodec STANDARD = new EventCodec(currentVersions(), UPCASTERS);

    private static final String TYPE = "type";

    /** Views of runs may lack limits added later; an event that lacks one was changed without a new version. */
    private static final ObjectReader READER = JournalJson.MAPPER
            .rebuild()
            .addMixIn(Limits.class, AllLimits.class)
            .addMixIn(Usage.class, AllUsage.class)
            .build()
            .readerFor(RunEvent.class);

    private final Map<String, Integer> versions;
    private final Map<EventShape, Upcaster> upcasters;

    EventCodec(Map<String, Integer> versions, Map<EventShape, Upcaster> upcasters) {
        this.versions = Map.copyOf(versions);
        this.upcasters = Map.copyOf(upcasters);
    }

    /** Tells Jackson which factory reads Limits. */
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

    /** The same of Usage. */
    private abstract static class AllUsage {
        @JsonCreator(mode = JsonCreator.Mode.DISABLED)
        static Usage ofKnown(Map<String, Long> json) {
            return Usage.ofKnown(json);
        }

        @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
        static Usage ofAll(Map<String, Long> json) {
            return Usage.ofAll(json);
        }
    }

    /** The codec of today's events. */
    public static EventCodec standard() {
        return STANDARD;
    }

    private static Upcaster unknownOrigin(String type, int version) {
        return new Upcaster(new EventShape(type, version), json -> json.putNull("origin"));
    }

    private static Upcaster uncountedFiles(String end, int version) {
        return new Upcaster(new EventShape(end, version), json -> {
            if (json.path("usage") instanceof ObjectNode usage) {
                usage.put("filesPeak", 0);
            }
            return json;
        });
    }

    private static Upcaster unmeasuredGrace(String end, int version) {
        return new Upcaster(new EventShape(end, version), json -> {
            if (json.path("usage") instanceof ObjectNode usage) {
                usage.put("graceMillis", 0).put("sharedMemoryPeakBytes", 0);
            }
            return json;
        });
    }

    /** One file for each 8 KiB of disk, between 1024 and 262144. */
    private static long filesOf(String disk) {
        return Math.max(1024, Math.min(1 << 18, ByteSize.parse(disk).bytes() / 8192));
    }

    /** The names of all events of runs. */
    public static Set<String> types() {
        return TYPES;
    }

    static Map<String, Integer> currentVersions() {
        Map<String, Integer> versions = new HashMap<>();
        types().forEach(type -> versions.put(type, 1));
        versions.putAll(VERSIONS);
        return versions;
    }

    /**
     * The hash before a run's first entry. It ties the chain to the run, so that no entry fits into another run's
     * chain.
     */
    public static Blob genesis(RunId run) {
        return Blob.of(sha256().digest(("vivarium.run:" + run).getBytes(StandardCharsets.UTF_8)));
    }

    /** Encodes an event as the entry after the one with the given hash; {@link #genesis} for a run's first entry. */
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
     * Decodes an entry's event and upcasts it to the current version.
     *
     * @throws UnreadableEntry with the reason, for an entry that this version cannot read
     */
    public RunEvent decode(JournalEntry entry) {
        EventShape stored = new EventShape(entry.type(), entry.version());
        try {
            if (Integer.valueOf(entry.version()).equals(versions.get(entry.type()))) {
                RunEvent event = READER.readValue(entry.payload().toByteArray());
                if (event != null && event.getClass().getSimpleName().equals(entry.type())) {
                    return event;
                }
            }
            JsonNode json = JournalJson.MAPPER.readTree(entry.payload().toByteArray());
            if (!(json instanceof ObjectNode object)) {
                throw new UnreadableEntry(Reason.DAMAGED, stored, null);
            }
            return READER.readValue(upcast(stored, object));
        } catch (IOException | IllegalArgumentException notReadable) {
            throw new UnreadableEntry(Reason.DAMAGED, stored, notReadable);
        }
    }

    /** Applies upcasters, step by step, until the current version is reached. */
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
