package dev.vivarium.persistence.audit;

import dev.vivarium.persistence.audit.tlog.LogHead;
import dev.vivarium.persistence.audit.tlog.StoredTree;
import java.util.Base64;

/**
 * That the log at its last checkpoint begins with the one that had fewer events, as text: the line {@code old} with the
 * earlier size, the proof's hashes in base64, an empty line, and the checkpoint. That is what a witness is sent (C2SP
 * tlog-witness, add-checkpoint).
 */
final class Consistency {
    private Consistency() {}

    /** The proof; blocks. */
    static String of(long earlier, LogHead head, AuditTables tables) {
        StringBuilder text = new StringBuilder("old " + earlier + "\n");
        new StoredTree(head.claimedSize(), tables::tile).consistency(earlier).forEach(hash -> text.append(
                        Base64.getEncoder().encodeToString(hash))
                .append('\n'));
        return text + "\n" + head.checkpoint();
    }
}
