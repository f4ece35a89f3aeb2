package dev.vivarium.persistence.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.Verify;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What an export proves, and what is found in one that was tampered with. */
class ExportCheckTest {
    private static final int SIZE = 40;

    private final SampleExport log = new SampleExport(SIZE);
    private final List<ExportLine> lines = new ArrayList<>(log.lines(0, SIZE));

    private Verify.Report check(List<ExportLine> export) {
        ExportCheck check = new ExportCheck(log.keys());
        export.forEach(line -> check.accept(Optional.of(line)));
        return check.report();
    }

    private String firstFault() {
        Verify.Report report = check(lines);
        assertThat(report.verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);
        return report.sentences().get(0);
    }

    /** The event of a position, in the whole export. */
    private ExportLine.Event event(int position) {
        return (ExportLine.Event) lines.get(position + 1);
    }

    private static ExportLine.Event with(ExportLine.Event event, long position, String payload, Optional<String> leaf) {
        return new ExportLine.Event(
                position,
                event.run(),
                event.seq(),
                event.type(),
                event.version(),
                event.previousHash(),
                Optional.of(payload),
                Optional.empty(),
                leaf);
    }

    private static Optional<String> leaf(ExportLine.Event event, String payload) {
        byte[] hash = Verify.eventHash(
                HexFormat.of().parseHex(event.previousHash()),
                event.type(),
                event.version(),
                payload.getBytes(StandardCharsets.UTF_8));
        return Optional.of(Base64.getEncoder()
                .encodeToString(Verify.leafHash(Verify.leaf(event.run().value(), event.seq(), hash))));
    }

    @Test
    void everyRangeProvesItself() {
        for (int from = 0; from <= SIZE; from++) {
            for (int to = from; to <= SIZE; to++) {
                Verify.Report report = check(log.lines(from, to));
                assertThat(report.verdict())
                        .as(from + " to " + to + ": " + report)
                        .isEqualTo(Verify.Verdict.PROVEN);
            }
        }
        assertThat(check(lines).sentences().get(0))
                .isEqualTo("40 events, positions 0 to 39, all of them and as they were written.");
    }

    @Test
    void aResumedExportProvesItself() {
        List<ExportLine> resumed = new ArrayList<>(lines.subList(0, 11));
        resumed.addAll(log.lines(10, SIZE));

        assertThat(check(resumed).verdict()).isEqualTo(Verify.Verdict.PROVEN);

        resumed.remove(10);
        assertThat(check(resumed).sentences().get(0)).contains("was resumed at position 10, and not at 9");
    }

    @Test
    void aChangedEventIsNamedAndNoOther() {
        lines.set(8, with(event(7), 7, "{\"to\":\"Bern\"}", event(7).leaf()));

        assertThat(check(lines).sentences())
                .singleElement()
                .asString()
                .startsWith("Position 7 (event 4 of run " + SampleExport.OTHER + ", RunTeleported) was changed");
    }

    @Test
    void anEventThatWasChangedWithItsHashBreaksTheChainOfItsRun() {
        String payload = "{\"to\":\"Bern\"}";
        lines.set(8, with(event(7), 7, payload, leaf(event(7), payload)));

        assertThat(firstFault())
                .startsWith("Position 9 (event 5 of run " + SampleExport.OTHER)
                .endsWith("does not follow from the event before it in its run.");
    }

    @Test
    void theLastEventOfARunThatWasChangedWithItsHashIsNotWhatTheKeyHasSigned() {
        String payload = "{\"to\":\"Bern\"}";
        lines.set(SIZE, with(event(SIZE - 1), SIZE - 1, payload, leaf(event(SIZE - 1), payload)));

        assertThat(firstFault()).contains("from position 0 to 39 is not what its key has signed");
    }

    @Test
    void removedEventsAreNamed() {
        lines.remove(8);
        assertThat(check(lines).sentences())
                .containsExactly("The event at position 7 was removed from the export, which goes on with position 8.");

        lines.subList(20, 23).clear();
        assertThat(check(lines).sentences().get(1)).startsWith("The events at positions 20 to 22 were removed");
    }

    @Test
    void anInsertedEventIsNamed() {
        lines.add(8, event(7));

        assertThat(check(lines).sentences())
                .singleElement()
                .asString()
                .startsWith("Position 7 ")
                .endsWith("is not in its place: it comes after position 7.");
    }

    @Test
    void exchangedLinesAndExchangedEventsAreNamed() {
        Collections.swap(lines, 8, 10);
        assertThat(check(lines).sentences().toString()).contains("Position 7 ", "is not in its place");

        Collections.swap(lines, 8, 10);
        ExportLine.Event seven = event(7);
        ExportLine.Event nine = event(9);
        lines.set(8, with(nine, 7, nine.payload().orElseThrow(), seven.leaf()));
        lines.set(10, with(seven, 9, seven.payload().orElseThrow(), nine.leaf()));
        assertThat(check(lines).sentences().get(0)).startsWith("Position 7 ").endsWith("it was written at position 9.");
    }

    @Test
    void anExportThatWasCutOffIsNeverWhole() {
        for (int length = 1; length < lines.size(); length++) {
            Verify.Report report = check(lines.subList(0, length));
            assertThat(report.verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);
            assertThat(report.sentences().get(0))
                    .isEqualTo("The export was cut off before position " + (length - 1) + ": it lacks its last line.");
        }
        assertThat(check(List.of()).sentences()).containsExactly("This is no export of events.");
        lines.remove(0);
        assertThat(firstFault()).contains("its beginning was cut off");
    }

    @Test
    void theEndOfAnotherExportIsNotTheEndOfThisOne() {
        List<ExportLine> shorter = log.lines(0, 30);
        List<ExportLine> patched = new ArrayList<>(shorter.subList(0, shorter.size() - 1));
        patched.add(lines.get(lines.size() - 1));

        assertThat(check(patched).sentences().get(0))
                .isEqualTo("The export ends before position 30, and its last line says before 40.");
    }

    @Test
    void anotherKeyProvesNothing() {
        ExportCheck check = new ExportCheck(new SampleExport(2).keys());
        lines.forEach(line -> check.accept(Optional.of(line)));

        assertThat(check.report().verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);
        assertThat(check.report().sentences().toString()).contains("by none of the given keys");
    }

    @Test
    void whatTheStoreHasLostIsNamed() {
        ExportLine.Event seven = event(7);
        lines.set(8, new ExportLine.Removed(7, seven.run(), seven.seq(), seven.type(), seven.leaf()));
        assertThat(check(lines).sentences()).singleElement().asString().endsWith("the journal has it no more.");

        lines.set(8, new ExportLine.Missing(7, 8, List.of()));
        assertThat(check(lines).sentences())
                .containsExactly("The event at position 7 was removed: the store has nothing there.");
    }

    private static final ActId ACT = new ActId("70000000000000000000000001");
    /** The events of one of the two runs. */
    private static final Positions ONES = Positions.of(
            LongStream.range(0, SIZE).filter(at -> at % 2 == 0).boxed().toList());

    private static ExportCheck checkOf(SampleExport of, List<ExportLine> export) {
        ExportCheck check = new ExportCheck(of.keys());
        export.forEach(line -> check.accept(Optional.of(line)));
        return check;
    }

    @Test
    void eventsThatALaterActHasDeletedAreExplained() {
        SampleExport deleted = new SampleExport(SIZE).deleted(ACT, ONES);

        assertThat(checkOf(deleted, deleted.lines(0, SIZE + 1, ONES))
                        .report()
                        .sentences()
                        .get(0))
                .isEqualTo(
                        "21 events, positions 0 to 40, as they were written. Acts in the log say that the events at 20"
                                + " other positions were deleted.");
        // An act is recorded before it is carried out.
        assertThat(checkOf(deleted, deleted.lines(0, SIZE + 1)).report().verdict())
                .isEqualTo(Verify.Verdict.PROVEN);
    }

    @Test
    void eventsThatAreGoneAndThatNoActNamesAreNamed() {
        SampleExport deleted = new SampleExport(SIZE).deleted(ACT, Positions.parse("0-6,8,10-39"));

        assertThat(checkOf(deleted, deleted.lines(0, SIZE + 1, Positions.parse("6-7,9-11")))
                        .report()
                        .sentences())
                .containsExactly(
                        "The event at position 7 was removed: the store has nothing there, and no act says that this was"
                                + " to be deleted.",
                        "The event at position 9 was removed: the store has nothing there, and no act says that this was"
                                + " to be deleted.");
    }

    @Test
    void anEventThatOnlyTheJournalHasLostIsExplainedByAnActToo() {
        SampleExport deleted = new SampleExport(SIZE).deleted(ACT, Positions.parse("7"));
        List<ExportLine> half = new ArrayList<>(deleted.lines(0, SIZE + 1));
        ExportLine.Event seven = (ExportLine.Event) half.get(8);
        half.set(8, new ExportLine.Removed(7, seven.run(), seven.seq(), seven.type(), seven.leaf()));

        // A run is deleted as a whole, or not at all.
        assertThat(checkOf(deleted, half).report().sentences())
                .singleElement()
                .asString()
                .endsWith("is not the next one of its run, after event 3.");
        half.remove(half.size() - 2);
        assertThat(checkOf(deleted, half).report().sentences().toString()).contains("the journal has it no more");
    }

    @Test
    void whatIsSaidToHaveBeenAtDeletedPositionsLeadsToTheSignedRoot() {
        SampleExport deleted = new SampleExport(SIZE).deleted(ACT, ONES);
        List<ExportLine> changed = new ArrayList<>(deleted.lines(0, SIZE + 1, ONES));
        changed.set(1, new ExportLine.Missing(0, 1, List.of(event(1).leaf().orElseThrow())));

        assertThat(checkOf(deleted, changed).report().sentences())
                .singleElement()
                .asString()
                .contains("is not what its key has signed");
    }

    @Test
    void aRangeBeforeTheActHasItsProof() {
        SampleExport deleted = new SampleExport(SIZE).deleted(ACT, ONES);
        List<ExportLine> range =
                new ArrayList<>(deleted.lines(10, 30, Positions.parse("10,12,14,16,18,20,22,24,26,28")));
        assertThat(checkOf(deleted, range).report().verdict()).isEqualTo(Verify.Verdict.NOT_PROVEN);

        String proof = deleted.proofOfTheLast();
        range.add(range.size() - 1, new ExportLine.Deletion(proof));
        Verify.Report report = checkOf(deleted, range).report();
        assertThat(report.verdict()).as(report.toString()).isEqualTo(Verify.Verdict.PROVEN);

        // and one that somebody has changed, or another log's, explains nothing
        range.set(range.size() - 2, new ExportLine.Deletion(proof.replace("event 1 40 ", "event 1 39 ")));
        assertThat(checkOf(deleted, range).report().sentences().get(0)).contains("is not the proof of an act");
        range.set(
                range.size() - 2,
                new ExportLine.Deletion(
                        new SampleExport(SIZE).deleted(ACT, ONES).proofOfTheLast()));
        assertThat(checkOf(deleted, range).report().sentences().get(0)).contains("is not the proof of an act");
    }

    @Test
    void aRunsEventThatSaysItWereSuchAnActExplainsNothing() {
        String payload = "{\"positions\":\"0-39\"}";
        byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
        assertThat(Positions.deletedBy(SampleExport.ONE.value(), Positions.ACT, bytes, bytes.length))
                .isEmpty();
        assertThat(Positions.deletedBy(ACT.value(), "DataDeleted", bytes, bytes.length))
                .isEmpty();
        assertThat(Positions.deletedBy(ACT.value(), Positions.ACT, bytes, bytes.length))
                .contains(Positions.parse("0-39"));
        byte[] within = "{\"tenant\":\"\\\"positions\\\":\\\"0-39\\\"\"}".getBytes(StandardCharsets.UTF_8);
        assertThat(Positions.deletedBy(ACT.value(), Positions.ACT, within, within.length))
                .isEmpty();
    }

    @Test
    void positionsAreRisingRanges() {
        assertThat(Positions.of(List.of(9L, 3L, 5L, 4L, 4L))).hasToString("3-5,9");
        assertThat(Positions.parse("3-5,9").count()).isEqualTo(4);
        assertThat(Positions.parse("")).isEqualTo(Positions.of(List.of()));
        assertThat(Positions.parse("3-5,9").haveAll(Positions.parse("4-5,9"))).isTrue();
        assertThat(Positions.parse("3-5,9").haveAll(Positions.parse("5-9"))).isFalse();
        for (String none : List.of("5-3", "3,3", "3-5,5", "a", "3-", ",", "-1", "3, 4", "1234567890123456789")) {
            assertThatThrownBy(() -> Positions.parse(none)).as(none).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aDamagedLineIsNamed() {
        ExportCheck check = new ExportCheck(log.keys());
        check.accept(Optional.of(lines.get(0)));
        check.accept(Optional.empty());

        assertThat(check.report().sentences().get(0)).isEqualTo("Line 2 is damaged, or was cut off.");
    }

    @Test
    void anExportThatAFilterNarrowsIsNotProvenAndSaysSo() {
        ExportLine.End end = (ExportLine.End) lines.get(lines.size() - 1);
        lines.set(0, new ExportLine.Begin(ExportLine.FORMAT, 0, SIZE, Map.of("tenant", List.of("a")), List.of()));
        lines.subList(3, 20).clear();
        lines.set(lines.size() - 1, new ExportLine.End(0, SIZE, List.of(), end.checkpoint()));

        assertThat(check(lines).sentences()).singleElement().asString().contains("proves nothing as a whole");
    }
}
