package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Frames from the node to the guest. The node chooses the numbers of processes and requests, from 1. */
public sealed interface NodeFrame {
    /**
     * Sets the guest's own deadline, independent of the node: after {@code deadlineMillis} the guest kills every
     * process and exits. A later frame replaces an earlier one.
     */
    record Arm(long deadlineMillis) implements NodeFrame {}

    /** A request about a file, made as the given user; parent directories are created. Answered by {@link GuestFrame.Done}. */
    sealed interface FileRequest extends NodeFrame {
        int request();
    }

    /**
     * Writes a part of a file. The first part ({@code offset} 0) creates or truncates; each sets the mode, so that all but
     * the last need one that lets the owner write.
     */
    record WriteFile(int request, String path, int mode, int uid, int gid, long offset, Blob data)
            implements FileRequest {}

    /** Creates a folder with that mode; an existing one keeps its entries. */
    record MakeFolder(int request, String path, int mode, int uid, int gid) implements FileRequest {}

    /**
     * Creates a link, replacing an existing entry unless that is a folder.
     *
     * @param target for a symbolic link, the text to store; for a hard link, an absolute path without links
     */
    record MakeLink(int request, String path, LinkKind kind, String target, int uid, int gid) implements FileRequest {}

    /** A query of files in the sandbox, made as the given user and without following links. */
    sealed interface Look extends NodeFrame {
        int request();
    }

    /**
     * Lists a folder. Answered by {@link GuestFrame.FolderListed}.
     *
     * @param place 0 for its beginning, then the value from the last answer
     */
    record ListFolder(int request, String path, long place, int uid, int gid) implements Look {}

    /** Reads a part of a file, at most {@link GuestCodec#READ_LIMIT_BYTES}. Answered by {@link GuestFrame.FileRead}. */
    record ReadFile(int request, String path, long offset, int bytes, int uid, int gid) implements Look {}

    /** The kinds of links; encoded as the position in this enum. */
    enum LinkKind {
        SYMBOLIC,
        HARD
    }

    /** Starts a process. Answered by {@link GuestFrame.Spawned} or {@link GuestFrame.SpawnFailed}. */
    record Spawn(
            int process,
            List<String> argv,
            Map<String, String> env,
            String workdir,
            int uid,
            int gid,
            Map<Resource, Long> rlimits,
            Optional<TerminalSize> terminal,
            int outputWindowBytes)
            implements NodeFrame {
        /** Omits the environment, whose values may be secrets. */
        @Override
        public String toString() {
            return "Spawn(" + process + ", " + argv + ", " + env.keySet() + ")";
        }
    }

    /** Bytes for a process's standard input, within the credit that the guest granted. */
    record Stdin(int process, Blob data) implements NodeFrame {}

    /** Closes a process's standard input. */
    record CloseStdin(int process) implements NodeFrame {}

    /** Sends a signal to a process that the node has started. */
    record Signal(int process, int signal, SignalScope scope) implements NodeFrame {}

    /** Who gets a signal; encoded as the position in this enum. */
    enum SignalScope {
        /** The process and all that it has started in its process group. */
        GROUP,
        /** The process alone. */
        PROCESS
    }

    /** Sets the size of a process's terminal. */
    record Resize(int process, TerminalSize size) implements NodeFrame {}

    /** Grants the guest credit for further bytes of a process's output. */
    record Credit(int process, Stream stream, int bytes) implements NodeFrame {}

    /**
     * Ends every process in the sandbox: SIGTERM now, SIGKILL after the grace. Answered by {@link GuestFrame.AllGone}
     * when none is left.
     */
    record KillAll(int graceMillis) implements NodeFrame {}

    /** Asks for {@link GuestFrame.Pong}. */
    record Ping(int request) implements NodeFrame {}

    /** The two output streams; a process on a terminal has only {@link #STDOUT}. */
    enum Stream {
        STDOUT,
        STDERR
    }

    /** Resource limits of a process; encoded as the position in this enum. */
    enum Resource {
        NOFILE,
        CORE,
        FSIZE,
        STACK,
        MEMLOCK,
        MSGQUEUE,
        NPROC
    }

    /** Rows and columns of a terminal. */
    record TerminalSize(int rows, int columns) {}
}
