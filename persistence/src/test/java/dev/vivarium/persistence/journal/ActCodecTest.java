package dev.vivarium.persistence.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.contract.RecordedActs;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Acts that an earlier version has written are read, and never rewritten, byte by byte. */
class ActCodecTest {
    @Test
    void everyRecordedActIsReadAndWrittenBackUnchanged() {
        for (RecordedActs.Recorded recorded : RecordedActs.all()) {
            JournalEntry entry = recorded.entry();
            Act act = ActCodec.decode(entry);

            assertThat(act.getClass().getSimpleName()).isEqualTo(entry.type());
            assertThat(JournalEntryFormat.write(entry))
                    .isEqualTo(recorded.bytes().toByteArray());
            assertThat(ActCodec.decode(ActCodec.encode(recorded.id(), act))).isEqualTo(act);
        }
    }

    /** A failure means that an act has got a type, field or constant that was not recorded: see RecordedActs. */
    @Test
    void everyVariantOfTodaysActsIsRecorded() {
        List<Act> acts = RecordedActs.all().stream()
                .map(recorded -> ActCodec.decode(recorded.entry()))
                .toList();

        assertThat(EventVariants.of(Act.class, acts)).containsAll(EventVariants.possible(Act.class));
    }

    @Test
    void anActIsAChainOfItsOwn() {
        ActId id = new ActId("701mc3ec7f0000000000000000");
        JournalEntry entry =
                ActCodec.encode(id, new Act.NodeJoined(Instant.EPOCH, "node-1", java.util.Optional.empty()));
        RunId chain = new RunId(id.value());

        assertThat(ChainCheck.check(chain, List.of(new StoredEntry(1, entry)))).isInstanceOf(ChainCheck.Intact.class);
        assertThat(ChainPersistenceId.parse(ChainPersistenceId.of(chain).id())).contains(chain);
        assertThat(RunPersistenceId.parse(ChainPersistenceId.of(chain).id())).isEmpty();
    }

    @Test
    void anEntryThatIsNoActOfThisVersionIsRefused() {
        Blob payload = Blob.ofUtf8("{\"type\":\"NodeJoined\",\"at\":\"yesterday\"}");

        assertThat(reason(new JournalEntry("MoonMoved", 1, payload, Blob.EMPTY, Blob.EMPTY)))
                .isEqualTo(UnreadableEntry.Reason.UNKNOWN_TYPE);
        assertThat(reason(new JournalEntry("NodeJoined", 2, payload, Blob.EMPTY, Blob.EMPTY)))
                .isEqualTo(UnreadableEntry.Reason.NEWER_VERSION);
        assertThat(reason(new JournalEntry("NodeJoined", 1, payload, Blob.EMPTY, Blob.EMPTY)))
                .isEqualTo(UnreadableEntry.Reason.DAMAGED);
        assertThat(reason(new JournalEntry("NodeDrained", 1, payload, Blob.EMPTY, Blob.EMPTY)))
                .isEqualTo(UnreadableEntry.Reason.DAMAGED);
    }

    private static UnreadableEntry.Reason reason(JournalEntry entry) {
        UnreadableEntry[] refusal = new UnreadableEntry[1];
        assertThatThrownBy(() -> ActCodec.decode(entry))
                .isInstanceOfSatisfying(UnreadableEntry.class, one -> refusal[0] = one);
        return refusal[0].reason();
    }
}
