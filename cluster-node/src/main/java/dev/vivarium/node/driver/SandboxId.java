package dev.vivarium.node.driver;

import java.util.regex.Pattern;

/**
 * Names one sandbox on this node: a ULID in lower case, chosen by the node before the sandbox exists.
 *
 * @param value the 26 characters
 */
public record SandboxId(String value) {
    private static final Pattern SHAPE = Pattern.compile("[0-7][0-9a-hjkmnp-tv-z]{25}");
    /** From here to the end of what is positive, no distribution, container manager or user name service has users. */
    private static final int FIRST_AGENT_UID = 0x70000000;

    private static final int AGENT_UIDS = 0x10000000;

    public SandboxId {
        // It becomes a part of names and filters that drivers hand to engines.
        if (!isValid(value)) {
            throw new IllegalArgumentException("A sandbox id is 26 characters of Crockford's base 32 in lower case.");
        }
    }

    /** Tells whether the text has the shape of a sandbox id. */
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    /**
     * The user, and the group, that agents of this sandbox are: nobody else's on the machine but by a chance of 1 in 268
     * million. The kernel counts some things for each user, across all sandboxes: inotify instances, message queues,
     * pending signals, memory of pipes. Were it one user for all, the first to take them would have them all.
     */
    public int agentUid() {
        return FIRST_AGENT_UID + Math.floorMod(value.hashCode(), AGENT_UIDS);
    }

    @Override
    public String toString() {
        return value;
    }
}
