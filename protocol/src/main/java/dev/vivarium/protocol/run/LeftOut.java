package dev.vivarium.protocol.run;

/**
 * A requested file that was not kept at the end of a run.
 *
 * @param path relative to the workspace, or the requested pattern
 * @param why the cause
 */
public record LeftOut(String path, Cause why) {
    /** The maximum that one event names. */
    public static final int NAMED_MAX = 32;

    /** The causes. */
    public enum Cause {
        /** The path does not exist. */
        MISSING,
        /** A symbolic link, which may point anywhere. */
        LINK,
        /** A pipe, a socket or a device. */
        NO_FILE,
        /** The agent's user may not read it. */
        UNREADABLE,
        /** Its name is not UTF-8. */
        NAME_NOT_UTF8,
        /** It changed while it was read. */
        CHANGED,
        /** With it the files would exceed limits.artifacts. */
        TOO_LARGE,
        /** With it the files, or the bytes of their paths, would be too many. */
        TOO_MANY,
        /** The search reached its limit in this folder. */
        NOT_LOOKED_AT,
        /** The time for keeping files was over. */
        OUT_OF_TIME,
        /** The sandbox was gone. */
        SANDBOX_GONE,
        /** The store was not available. */
        NOT_STORED
    }
}
