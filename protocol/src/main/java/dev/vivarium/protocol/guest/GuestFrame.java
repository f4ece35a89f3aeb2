package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import java.util.List;
import java.util.OptionalLong;

/** Frames from the guest to the node. Untrusted: the agent may have compromised the guest. */
public sealed interface GuestFrame {
    /** The first frame: the guest is up and waiting. */
    record Hello(int protocolVersion) implements GuestFrame {}

    /** The process is running. */
    record Spawned(int process, int pid) implements GuestFrame {}

    /** The process could not be started. */
    record SpawnFailed(int process, Stage stage, int errno) implements GuestFrame {}

    /** Bytes that a process wrote. */
    record Output(int process, NodeFrame.Stream stream, Blob data) implements GuestFrame {}

    /** The stream has ended: every holder of its other end has closed it. */
    record OutputClosed(int process, NodeFrame.Stream stream) implements GuestFrame {}

    /** The process exited with a code; its descendants may still be alive. */
    record Exited(int process, int exitCode) implements GuestFrame {}

    /** The process was ended by a signal. */
    record Signaled(int process, int signal) implements GuestFrame {}

    /** Allows the node to send further bytes to a process's standard input. */
    record StdinCredit(int process, int bytes) implements GuestFrame {}

    /** A file request is done; {@code errno} is 0 on success. */
    record Done(int request, int errno) implements GuestFrame {}

    /** No process but the guest is left in the sandbox. */
    record AllGone() implements GuestFrame {}

    /**
     * How much of a limit the sandbox uses, sent when it changes, ten times a second at most: of {@link Limit#DISK} and
     * {@link Limit#FILES} in the writable places (workspace and /tmp), and of {@link Limit#PIDS} if the sandbox has its
     * own kernel, so that the host cannot count.
     *
     * @param amount in the unit of the limit's kind
     */
    record Use(Limit<?> limit, long amount, Pressure pressure) implements GuestFrame {}

    /** The answer to {@link NodeFrame.Ping}. */
    record Pong(int request) implements GuestFrame {}

    /**
     * A part of a folder's entries; {@code errno} is 0 on success.
     *
     * @param place where to read on; empty at the folder's end, and after a failure
     */
    record FolderListed(int request, int errno, OptionalLong place, List<Entry> entries) implements GuestFrame {
        public FolderListed {
            entries = List.copyOf(entries);
        }
    }

    /**
     * A name in a folder.
     *
     * @param name as the sandbox's kernel has it, which need not be UTF-8
     */
    record Entry(EntryKind kind, Blob name) {
        /** The most bytes of a name. */
        public static final int NAME_BYTES_MAX = 255;
    }

    /** The kind of an entry; encoded as the position in this enum. */
    enum EntryKind {
        FILE,
        FOLDER,
        LINK,
        OTHER
    }

    /**
     * A part of a file; {@code errno} is 0 on success.
     *
     * @param mode all bits of its mode
     * @param size its size when the part was read
     */
    record FileRead(int request, int errno, int mode, long size, Blob data) implements GuestFrame {}

    /** The stage at which starting a process failed; the last three are kinds of EXEC with a cause that the guest has found. */
    enum Stage {
        PREPARE,
        WORKDIR,
        EXEC,
        /** The program exists, but not the interpreter of a script or the loader of a program. */
        INTERPRETER,
        /** The first line of a script ends in a carriage return. */
        CARRIAGE_RETURN,
        /** The program is for another processor. */
        ARCHITECTURE
    }

    /** Whether one of the writable folders is full, so that writes fail. */
    enum Pressure {
        NONE,
        FULL
    }
}
