package dev.vivarium.persistence.audit.tlog;

import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Optional;

/**
 * Keeps a node from signing two histories under one name. It has the log's keys and, in a file of the node, the last
 * checkpoint that the node has signed or seen: a store whose log does not begin with it was set back, as by a restored
 * backup, or changed. Then nothing is signed until an operator declares another log, by a key with another name.
 * Thread-safe.
 */
public final class CheckpointGuard {
    /** The guard of a node that signs nothing. */
    public static final CheckpointGuard WITHOUT_KEYS = new CheckpointGuard(Optional.empty(), SeenCheckpoint.NONE);

    private final Optional<LogKeys> keys;
    private final SeenCheckpoint seen;
    private volatile Optional<String> refusal = Optional.empty();
    private String saved = "";

    /**
     * A guard.
     *
     * @param keys empty on a node that signs nothing
     * @param seen where the node keeps the last checkpoint
     */
    public CheckpointGuard(Optional<LogKeys> keys, SeenCheckpoint seen) {
        this.keys = keys;
        this.seen = seen;
    }

    /** The keys; empty on a node that signs nothing. */
    public Optional<LogKeys> keys() {
        return keys;
    }

    /** Why checkpoints are refused, as a sentence for the operator; empty while they are not. */
    public Optional<String> refusal() {
        return refusal;
    }

    /** What a stored log is to this node. */
    public enum Standing {
        /** It begins with all that this node knows of it. */
        GOES_ON,
        /** It has another name: the operator has declared that a new log begins. */
        NEW_LOG
    }

    /**
     * Compares the store's log with what this node knows.
     *
     * @throws TreeDamaged with a sentence for the operator when it is not the log that was signed or seen before; from
     *     then on {@link #refusal} says it, too
     */
    public Standing examine(LogHead head, Tile.Source tiles) {
        if (keys.isEmpty()) {
            return Standing.GOES_ON;
        }
        try {
            Standing standing = examine(keys.get(), head, new StoredTree(head.size(), tiles));
            refusal = Optional.empty();
            return standing;
        } catch (Verify.Refused | TreeDamaged refused) {
            String sentence = refused.getMessage() + " Checkpoints are refused until the store is put right, or an"
                    + " operator declares a new log, by a key with another name: vivarium audit key FILE --new NAME";
            refusal = Optional.of(sentence);
            throw new TreeDamaged(sentence);
        }
    }

    private Standing examine(LogKeys mine, LogHead head, StoredTree tree) {
        if (!head.checkpoint().isEmpty()) {
            if (!head.claimedOrigin().equals(mine.origin())) {
                return Standing.NEW_LOG;
            }
            if (head.isRestored()) {
                throw new TreeDamaged(
                        "The store was restored from a backup, and its log may have gone further than that.");
            }
            requireBeginning(mine.open(head.checkpoint()), head, tree, "that was signed");
        }
        Optional<String> last = lastSeen();
        if (last.isPresent() && new LogHead(0, last.get()).claimedOrigin().equals(mine.origin())) {
            requireBeginning(mine.open(last.get()), head, tree, "that this node has seen");
        }
        return Standing.GOES_ON;
    }

    private static void requireBeginning(Verify.Checkpoint known, LogHead head, StoredTree tree, String which) {
        if (known.size() > head.size()) {
            throw new TreeDamaged("The store's log has " + head.size() + " events, and the checkpoint " + which
                    + " has " + known.size() + ": the store was set back, as by a restored backup.");
        }
        if (!Base64.getEncoder().encodeToString(tree.rootAt(known.size())).equals(known.root())) {
            throw new TreeDamaged("The store's log is not the one of the checkpoint " + which + ", over " + known.size()
                    + " events: its tree was changed.");
        }
    }

    private Optional<String> lastSeen() {
        try {
            return seen.last();
        } catch (IOException unreadable) {
            throw new TreeDamaged(
                    "The last checkpoint that this node has seen cannot be read: " + unreadable.getMessage() + ".");
        }
    }

    /** Keeps a checkpoint of the store as the last one seen; called after {@link #examine} has accepted it. */
    public synchronized void saw(String checkpoint) {
        if (keys.isEmpty() || checkpoint.isEmpty() || checkpoint.equals(saved)) {
            return;
        }
        try {
            seen.keep(checkpoint);
            saved = checkpoint;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** A signed checkpoint; empty on a node that signs nothing. */
    public String sign(long size, byte[] root) {
        return keys.map(signing -> signing.sign(size, root)).orElse("");
    }
}
