package dev.vivarium.persistence.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.Usage;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EventCodecTest {
    private static final RunId RUN = Fixtures.run(1);
    private static final Blob GENESIS = EventCodec.genesis(RUN);

    private final EventCodec codec = EventCodec.standard();

    @Test
    void everyTypeOfEventReadsBackEqual() {
        for (RunEvent event : Fixtures.oneOfEachType(RUN)) {
            assertThat(codec.decode(codec.encode(event, GENESIS))).isEqualTo(event);
        }
    }

    @Test
    void theFixturesHoldEveryTypeOfEvent() {
        assertThat(Fixtures.oneOfEachType(RUN))
                .extracting(event -> event.getClass().getSimpleName())
                .containsAll(EventCodec.currentVersions().keySet());
    }

    @Test
    void theSameEventAlwaysGivesTheSameBytes() {
        RunEvent event = Fixtures.submitted(RUN, Fixtures.NOON, Map.of("b", "2", "a", "1", "c", "3"));
        RunEvent same = Fixtures.submitted(RUN, Fixtures.NOON, Map.of("c", "3", "a", "1", "b", "2"));

        assertThat(codec.encode(event, GENESIS)).isEqualTo(codec.encode(same, GENESIS));
    }

    /** A failure means that existing journals have become unreadable or unverifiable: add a new version instead. */
    @Test
    void encodingsOfTheFirstVersionAreUnchanged() {
        JournalEntry entry = codec.encode(new RunEvent.AttemptStarting(Fixtures.NOON, "node-1", 1), GENESIS);

        assertThat(entry.type()).isEqualTo("AttemptStarting");
        assertThat(entry.version()).isEqualTo(1);
        assertThat(text(entry.payload()))
                .isEqualTo(
                        "{\"type\":\"AttemptStarting\",\"at\":\"2026-01-01T12:00:00.123456789Z\",\"attempt\":1,\"node\":\"node-1\"}");
        assertThat(GENESIS.toHex()).isEqualTo("2529c96932223d7991f6bc54651dbdf9c42a23ca2e453deaec8c6d13f6f839c9");
        assertThat(entry.hash().toHex()).isEqualTo("67fce8d43a81ada0210242d9a68efdbe2292146d36d3c9577ac0d01ca5947727");
    }

    @Test
    void anEventOfAnOldVersionIsUpcast() {
        // given: a journal in which version 1 of AttemptStarting counted from 0 and called its node "host", and had
        // another name before that
        Map<String, Integer> versions = new HashMap<>(EventCodec.currentVersions());
        versions.put("AttemptStarting", 2);
        EventCodec later = new EventCodec(
                versions,
                Map.of(
                        new EventShape("AttemptBegun", 1),
                        new Upcaster(new EventShape("AttemptStarting", 1), json -> json),
                        new EventShape("AttemptStarting", 1),
                        new Upcaster(new EventShape("AttemptStarting", 2), json -> {
                            json.put("attempt", json.get("attempt").asInt() + 1);
                            json.set("node", json.remove("host"));
                            return json;
                        })));
        String old =
                "{\"type\":\"AttemptBegun\",\"at\":\"2026-01-01T12:00:00.123456789Z\",\"attempt\":0,\"host\":\"node-1\"}";

        // when
        RunEvent today = later.decode(entry("AttemptBegun", 1, old));

        // then
        assertThat(today).isEqualTo(new RunEvent.AttemptStarting(Fixtures.NOON, "node-1", 1));
    }

    @Test
    void alarmsAndKillsFromBeforeRatesAreReadUnchanged() {
        String alarm = "{\"type\":\"AlarmRaised\",\"at\":\"2026-01-01T12:00:00.123456789Z\",\"attempt\":1,"
                + "\"consequence\":\"NOTED\",\"measurement\":{\"limit\":1,\"measured\":2,\"unit\":\"BYTES\"},"
                + "\"node\":\"node-1\",\"reason\":\"MEMORY\"}";
        String kill = "{\"type\":\"RunKilled\",\"at\":\"2026-01-01T12:00:00.123456789Z\",\"attempt\":1,"
                + "\"measurement\":{\"limit\":5000,\"measured\":5003,\"unit\":\"MILLIS\"},\"node\":\"node-1\","
                + "\"reason\":\"WALL_CLOCK\",\"usage\":{\"cpuMillis\":0,\"diskPeakBytes\":0,\"memoryPeakBytes\":0,"
                + "\"outputBytes\":0,\"pidsPeak\":0,\"wallMillis\":0}}";

        assertThat(codec.decode(entry("AlarmRaised", 1, alarm)))
                .isEqualTo(new RunEvent.AlarmRaised(
                        Fixtures.NOON,
                        "node-1",
                        1,
                        KillReason.MEMORY,
                        Measurement.bytes(2, 1),
                        RunEvent.Consequence.NOTED));
        assertThat(codec.decode(entry("RunKilled", 1, kill)))
                .isEqualTo(new RunEvent.RunKilled(
                        Fixtures.NOON,
                        "node-1",
                        1,
                        KillReason.WALL_CLOCK,
                        Optional.of(Measurement.millis(5003, 5000)),
                        Usage.NONE));
    }

    @Test
    void aRunFromBeforeAllowlistsHasAnEmptyAllowlist() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());
        String before = withoutByteLimit(withoutInjection(ofVersion4(today)))
                .replace("\"egress\":{\"allow\":[],\"mode\":\"none\"}", "\"egress\":{\"mode\":\"none\"}");

        assertThat(before).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 1, before))).isEqualTo(submitted);
        refused(
                entry("RunSubmitted", 1, "{\"type\":\"RunSubmitted\",\"spec\":7}"),
                UnreadableEntry.Reason.DAMAGED,
                "RunSubmitted version 1");
    }

    @Test
    void aRunFromBeforeTheLimitOfBytesHasNone() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(withoutByteLimit(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 2, withoutByteLimit(withoutInjection(ofVersion4(today))))))
                .isEqualTo(submitted);
    }

    @Test
    void aRunFromBeforeInjectedHeadersHasNone() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(withoutInjection(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 3, withoutInjection(ofVersion4(today)))))
                .isEqualTo(submitted);
    }

    @Test
    void aRunFromBeforeTheLimitOfFilesHasTheNumberImpliedByItsDisk() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(withoutFileLimit(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 4, ofVersion4(today)))).isEqualTo(submitted);
        refused(
                entry("RunSubmitted", 5, withoutFileLimit(ofVersion5(today))),
                UnreadableEntry.Reason.DAMAGED,
                "RunSubmitted version 5");
    }

    @Test
    void aRunFromBeforeTheLimitOfOpenFilesHasTheFormerDefault() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(ofVersion5(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 5, ofVersion5(today)))).isEqualTo(submitted);
        refused(entry("RunSubmitted", 6, ofVersion5(today)), UnreadableEntry.Reason.DAMAGED, "RunSubmitted version 6");
    }

    @Test
    void aRunFromBeforeArtifactsKeepsNone() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(ofVersion8(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 8, ofVersion8(today)))).isEqualTo(submitted);
        refused(entry("RunSubmitted", 9, ofVersion8(today)), UnreadableEntry.Reason.DAMAGED, "RunSubmitted version 9");
    }

    @Test
    void aRunFromBeforeArchivesHasOnlyFiles() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(ofVersion7(today)).isNotEqualTo(today);
        assertThat(codec.decode(entry("RunSubmitted", 7, ofVersion7(today)))).isEqualTo(submitted);
        refused(entry("RunSubmitted", 8, ofVersion7(today)), UnreadableEntry.Reason.DAMAGED, "RunSubmitted version 8");
    }

    @Test
    void endsFromBeforeFilesWereCountedHaveNone() {
        Usage uncounted = Usage.NONE
                .with(Limit.WALL_CLOCK, 5003)
                .with(Limit.CPU_TIME, 4990)
                .with(Limit.MEMORY, 12345678)
                .with(Limit.DISK, 4096)
                .with(Limit.FILES, 0)
                .with(Limit.OUTPUT, 42)
                .with(Limit.PIDS, 7);
        for (RunEvent end : List.of(
                new RunEvent.RunSucceeded(Fixtures.NOON, "node-1", 1, uncounted),
                new RunEvent.RunFailed(Fixtures.NOON, "node-1", 1, 3, Optional.empty(), uncounted),
                new RunEvent.RunCancelled(Fixtures.NOON, "node-1", 1, uncounted))) {
            JournalEntry today = codec.encode(end, GENESIS);
            String before = text(today.payload())
                    .replace("\"filesPeak\":0,", "")
                    .replace("\"graceMillis\":0,", "")
                    .replace("\"sharedMemoryPeakBytes\":0,", "");

            assertThat(before).isNotEqualTo(text(today.payload()));
            assertThat(codec.decode(entry(today.type(), 1, before))).isEqualTo(end);
        }
    }

    @Test
    void reachedDestinationsFromBeforeByteCountsHaveNone() {
        String before =
                """
                {"type":"EgressUsed","at":"%s","node":"node-1","attempt":1,"connections":3,"destinations":1,
                "bytesOut":100,"bytesIn":200,
                "mostReached":[{"protocol":"tcp","destination":"45.77.77.10","port":443,"count":3}]}
                """
                        .formatted(Fixtures.NOON);

        assertThat(codec.decode(entry("EgressUsed", 1, before)))
                .isEqualTo(new RunEvent.EgressUsed(
                        Fixtures.NOON,
                        "node-1",
                        1,
                        3,
                        1,
                        100,
                        200,
                        List.of(new EgressReach("tcp", "45.77.77.10", 443, 3, 0, 0))));
    }

    @Test
    void eventsFromBeforePrincipalsAreAttributedToTheLocalOperator() {
        RunEvent.RunSubmitted submitted = Fixtures.submitted(RUN);
        RunEvent cancelled =
                new RunEvent.CancelRequested(Fixtures.NOON, "node-1", Principal.LOCAL_OPERATOR, Optional.empty());
        String today = text(codec.encode(submitted, GENESIS).payload());

        assertThat(withoutCaller(today)).isNotEqualTo(today).doesNotContain("tenant", "operator");
        assertThat(codec.decode(entry("RunSubmitted", 4, ofVersion4(today)))).isEqualTo(submitted);
        assertThat(codec.decode(entry(
                        "CancelRequested",
                        1,
                        withoutCaller(text(codec.encode(cancelled, GENESIS).payload())))))
                .isEqualTo(cancelled);
    }

    @Test
    void aTenantGivenByALabelRemainsTheRunsTenant() {
        RunEvent.RunSubmitted submitted = Fixtures.submitted(RUN, Fixtures.NOON, Map.of("tenant", "blue"));
        String before = withContents(
                        withoutFileLimit(text(codec.encode(submitted, GENESIS).payload())))
                .replace("\"by\":\"local:operator\",", "")
                .replace("\"tenant\":\"blue\",\"workdir\"", "\"workdir\"");

        assertThat(codec.decode(entry("RunSubmitted", 4, before))).isEqualTo(submitted);
    }

    @Test
    void anOldInterruptionHasAPrincipalOnlyIfTheNodeWasDrained() {
        String before = "{\"at\":\"%s\",\"attempt\":1,\"cause\":\"%s\",\"detail\":\"gone\",\"node\":\"node-1\"}";

        assertThat(codec.decode(entry("AttemptInterrupted", 1, before.formatted(Fixtures.NOON, "DRAINED"))))
                .isEqualTo(new RunEvent.AttemptInterrupted(
                        Fixtures.NOON,
                        "node-1",
                        1,
                        Interruption.DRAINED,
                        "gone",
                        Optional.of(Principal.LOCAL_OPERATOR)));
        assertThat(codec.decode(entry("AttemptInterrupted", 1, before.formatted(Fixtures.NOON, "NODE_LOST"))))
                .isEqualTo(new RunEvent.AttemptInterrupted(
                        Fixtures.NOON, "node-1", 1, Interruption.NODE_LOST, "gone", Optional.empty()));
    }

    private static String withoutCaller(String payload) {
        return payload.replace("\"by\":\"local:operator\",", "").replace("\"tenant\":\"default\",", "");
    }

    @Test
    void aRunFromBeforeBlobsRefersToItsFiles() {
        RunEvent submitted = Fixtures.submitted(RUN);
        String today = text(codec.encode(submitted, GENESIS).payload());
        JournalEntry before = entry("RunSubmitted", 4, ofVersion4(today));

        assertThat(text(before.payload())).isNotEqualTo(today).contains("\"agent.py\":\"AP9/\"");
        assertThat(codec.decode(before)).isEqualTo(submitted);
        assertThat(InlineFiles.content(before, "agent.py")).contains(Fixtures.CONTENT);
        assertThat(InlineFiles.content(before, "other.py")).isEmpty();
        assertThat(InlineFiles.content(codec.encode(submitted, GENESIS), "agent.py"))
                .isEmpty();
    }

    @Test
    void aScriptFromBeforeBlobsIsStillExecutable() {
        String today = text(codec.encode(Fixtures.submitted(RUN), GENESIS).payload());
        String script = Base64.getEncoder().encodeToString("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8));
        JournalEntry before = entry("RunSubmitted", 4, ofVersion4(today).replace("AP9/", script));

        RunEvent.RunSubmitted read = (RunEvent.RunSubmitted) codec.decode(before);

        assertThat(read.spec().files()).containsEntry("agent.py", FileRef.of(Blob.ofUtf8("#!/bin/sh\n")));
        assertThat(FileRef.of(Blob.ofUtf8("#!/bin/sh\n")).mode()).isEqualTo(FileMode.EXECUTABLE);
    }

    @Test
    void damagedContentsFromBeforeBlobsAreRefusedWithoutQuotingThem() {
        String today = text(codec.encode(Fixtures.submitted(RUN), GENESIS).payload());
        for (String damaged : List.of("\"hush-hush\"", "7", "null", "{}")) {
            refused(
                    entry("RunSubmitted", 4, ofVersion4(today).replace("\"AP9/\"", damaged)),
                    UnreadableEntry.Reason.DAMAGED,
                    "RunSubmitted version 4");
        }
        refused(
                entry("RunSubmitted", 4, ofVersion4(today).replace("\"submission\":\"", "\"submission\":\"AAAA")),
                UnreadableEntry.Reason.DAMAGED,
                "RunSubmitted version 4");
    }

    /** A payload of version 4, with contents of files in it, and with the digest of the submission in base64. */
    private static String withContents(String payload) {
        FileRef file = FileRef.of(Fixtures.CONTENT);
        String sent = Digest.of(Blob.ofUtf8("digest")).hex();
        return ofVersion7(payload)
                .replace("{\"digest\":\"%s\",\"mode\":\"0644\",\"size\":3}".formatted(file.digest()), "\"AP9/\"")
                .replace(sent, Base64.getEncoder().encodeToString(HexFormat.of().parseHex(sent)));
    }

    private static String ofVersion4(String payload) {
        return withContents(withoutFileLimit(withoutCaller(ofVersion5(payload))));
    }

    private static String ofVersion5(String payload) {
        return ofVersion6(payload).replace("\"openFiles\":4096,", "");
    }

    private static String ofVersion6(String payload) {
        return ofVersion7(payload).replace("\"grace\":\"25ms\",", "").replace("\"sharedMemory\":\"64Mi\",", "");
    }

    private static String ofVersion7(String payload) {
        return ofVersion8(payload).replace("\"form\":\"file\",", "");
    }

    private static String ofVersion8(String payload) {
        return payload.replace("\"artifacts\":[],", "").replace("\"artifacts\":\"64Mi\",", "");
    }

    private static String withoutInjection(String payload) {
        return payload.replace("\"inject\":[],", "");
    }

    private static String withoutFileLimit(String payload) {
        return payload.replace("\"files\":65536,", "");
    }

    private static String withoutByteLimit(String payload) {
        return payload.replace("\"egressBytes\":\"1048576Gi\",", "");
    }

    @Test
    void anAllowlistReadsBackEqual() {
        EgressPolicy egress = EgressPolicy.allowlist(List.of(
                EgressDestination.parse("api.example.com"),
                EgressDestination.parse("*.example.org:443,8000-8100"),
                EgressDestination.parse("203.0.113.0/24:5432")));
        egress = new EgressPolicy(
                egress.mode(),
                egress.allow(),
                List.of(new InjectedHeader(HostName.parse("api.example.com"), "Authorization", "API_KEY", "Bearer ")));
        RunEvent submitted = Fixtures.submitted(RUN, egress);

        JournalEntry entry = codec.encode(submitted, GENESIS);

        assertThat(codec.decode(entry)).isEqualTo(submitted);
        assertThat(text(entry.payload()))
                .contains("\"allow\":[\"api.example.com:80,443\",\"*.example.org:443,8000-8100\","
                        + "\"203.0.113.0/24:5432\"],\"inject\":[{\"header\":\"authorization\","
                        + "\"host\":\"api.example.com\",\"prefix\":\"Bearer \",\"secret\":\"API_KEY\"}],"
                        + "\"mode\":\"allowlist\"");
    }

    @Test
    void aRateReadsBackEqualAndAnUnknownUnitIsRefusedByName() {
        RunEvent rate = new RunEvent.AlarmRaised(
                Fixtures.NOON,
                "node-1",
                1,
                KillReason.OUTPUT,
                Measurement.bytesPerSecond(2, 1),
                RunEvent.Consequence.NOTED);
        JournalEntry entry = codec.encode(rate, GENESIS);

        assertThat(codec.decode(entry)).isEqualTo(rate);
        Map<String, Integer> before = new HashMap<>(EventCodec.currentVersions());
        before.put("AlarmRaised", 1);
        assertThatThrownBy(() -> new EventCodec(before, Map.of()).decode(entry))
                .isInstanceOf(UnreadableEntry.class)
                .hasMessageContaining("AlarmRaised version 6");
    }

    @Test
    void anUnknownTypeIsRefusedByName() {
        refused(entry("RunTeleported", 1, "{}"), UnreadableEntry.Reason.UNKNOWN_TYPE, "RunTeleported version 1");
    }

    @Test
    void aNewerVersionIsRefusedByName() {
        refused(entry("RunLost", 2, "{}"), UnreadableEntry.Reason.NEWER_VERSION, "RunLost version 2");
    }

    @Test
    void anOldVersionWithoutAnUpcasterIsRefused() {
        refused(entry("RunLost", 0, "{}"), UnreadableEntry.Reason.NO_UPCASTER, "RunLost version 0");
    }

    @Test
    void aDamagedPayloadIsRefusedWithoutQuotingIt() {
        for (String payload : new String[] {
            "",
            "[]",
            "{\"at\":\"hush-hush\"",
            "{\"at\":\"hush-hush\",\"node\":\"n\"}",
            "{\"at\":\"2026-01-01T12:00:00Z\",\"node\":\"n\",\"hush-hush\":1}",
            "{\"node\":\"n\"}"
        }) {
            assertThatThrownBy(() -> codec.decode(entry("CancelRequested", 1, payload)))
                    .isInstanceOf(UnreadableEntry.class)
                    .hasMessageContaining("CancelRequested version 1")
                    .satisfies(refused ->
                            assertThat(((UnreadableEntry) refused).reason()).isEqualTo(UnreadableEntry.Reason.DAMAGED))
                    .satisfies(refused -> assertThat(refused.toString()).doesNotContain("hush-hush"));
        }
    }

    @Test
    void theFormatInTheJournalReadsBackEqual() {
        JournalEntrySerializer serializer = new JournalEntrySerializer();
        for (RunEvent event : Fixtures.oneOfEachType(RUN)) {
            JournalEntry entry = codec.encode(event, GENESIS);

            assertThat(JournalEntryFormat.read(serializer.manifest(entry), serializer.toBinary(entry)))
                    .isEqualTo(entry);
        }
    }

    @Test
    void aTruncatedEntryOrAnUnknownFormatIsRefused() {
        byte[] bytes = JournalEntryFormat.write(codec.encode(Fixtures.submitted(RUN), GENESIS));

        assertThatThrownBy(
                        () -> JournalEntryFormat.read(JournalEntryFormat.MANIFEST, java.util.Arrays.copyOf(bytes, 40)))
                .hasMessageContaining("truncated");
        assertThatThrownBy(() -> JournalEntryFormat.read("entry/9", bytes)).hasMessageContaining("entry/9");
    }

    @Test
    void thePersistenceIdOfARunIsParsedBack() {
        assertThat(RunPersistenceId.of(RUN).id()).isEqualTo("run|" + RUN);
        assertThat(RunPersistenceId.parse("run|" + RUN)).contains(RUN);
        assertThat(RunPersistenceId.parse("/sharding/run-entities")).isEmpty();
        assertThat(RunPersistenceId.parse("run|nobody")).isEmpty();
    }

    private void refused(JournalEntry entry, UnreadableEntry.Reason reason, String name) {
        assertThatThrownBy(() -> codec.decode(entry))
                .isInstanceOf(UnreadableEntry.class)
                .hasMessageContaining(name)
                .satisfies(refused ->
                        assertThat(((UnreadableEntry) refused).reason()).isEqualTo(reason));
    }

    private static JournalEntry entry(String type, int version, String payload) {
        return new JournalEntry(type, version, Blob.ofUtf8(payload), GENESIS, Blob.EMPTY);
    }

    private static String text(Blob blob) {
        return new String(blob.toByteArray(), StandardCharsets.UTF_8);
    }
}
