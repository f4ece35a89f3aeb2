package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.util.List;

/**
 * Verifies that a run's entries are those that were written: none missing at the start or in between, none edited, none
 * moved, none from another run. If entries at the end are missing, the shorter chain is still intact: to detect that,
 * keep the head of an earlier check and compare.
 */
public final class ChainCheck {
    private ChainCheck() {}

    /** The result of a check. */
    public sealed interface Verdict {
        /** The hash of the last intact entry; the genesis hash when there is none. */
        Blob head();
    }

    /** Every entry follows from its predecessor. */
    public record Intact(long entries, Blob head) implements Verdict {}

    /** The first place where an entry does not follow from its predecessor. */
    public record Broken(long seq, Fault fault, Blob head) implements Verdict {}

    /** The fault at the first broken place. */
    public enum Fault {
        /** The number is out of sequence: entries are missing or reordered. */
        GAP,
        /** The entry names a different predecessor: it was moved, or its predecessor was replaced. */
        UNLINKED,
        /** The entry's hash does not match its content: it was edited. */
        EDITED
    }

    /** Checks all entries of a run, in order of their numbers. */
    public static Verdict check(RunId run, List<StoredEntry> entries) {
        Blob head = EventCodec.genesis(run);
        long expectedSeq = 1;
        for (StoredEntry stored : entries) {
            JournalEntry entry = stored.entry();
            if (stored.seq() != expectedSeq) {
                return new Broken(expectedSeq, Fault.GAP, head);
            }
            if (!entry.previousHash().equals(head)) {
                return new Broken(expectedSeq, Fault.UNLINKED, head);
            }
            if (!entry.hash().equals(EventCodec.hash(head, entry.type(), entry.version(), entry.payload()))) {
                return new Broken(expectedSeq, Fault.EDITED, head);
            }
            head = entry.hash();
            expectedSeq++;
        }
        return new Intact(entries.size(), head);
    }
}
