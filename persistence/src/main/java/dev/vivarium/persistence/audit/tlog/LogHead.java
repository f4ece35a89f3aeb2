package dev.vivarium.persistence.audit.tlog;

/**
 * How far the log reaches in the store.
 *
 * @param size how many events are in the tree
 * @param checkpoint the last signed checkpoint, which may be over fewer; empty when none was signed
 */
public record LogHead(long size, String checkpoint) {
    /** The line before the checkpoint in a restored store, whose log may have gone further elsewhere. */
    public static final String RESTORED = "restored";

    /** Whether the store was restored, and no log was declared since. */
    boolean isRestored() {
        return checkpoint.startsWith(RESTORED + "\n");
    }

    /** The checkpoint's log, as it says itself; empty without a checkpoint. */
    String claimedOrigin() {
        return line(0);
    }

    /** The events of the checkpoint, as it says itself; 0 without a checkpoint. */
    public long claimedSize() {
        String size = line(1);
        return size.matches("[0-9]{1,18}") ? Long.parseLong(size) : 0;
    }

    private String line(int number) {
        return checkpoint
                .lines()
                .skip(isRestored() ? number + 1 : number)
                .findFirst()
                .orElse("");
    }
}
