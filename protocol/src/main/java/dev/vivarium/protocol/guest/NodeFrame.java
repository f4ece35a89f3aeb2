package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the node tells the guest. Numbers that identify processes and requests are chosen by the node, from 1. */
public sealed interface NodeFrame {
    /**
     * Starts the second clock: after {@code deadlineMillis} the guest kills every process and exits, whether the node
     * still lives or not. A later frame replaces an earlier one.
     */
    record Arm(long deadlineMillis) implements NodeFrame {}

    /**
     * Writes a part of a file, as the given user; parent directories are made. The first part ({@code offset} 0)
     * creates or truncates. Answered by {@link GuestFrame.Done}.
     */
    record WriteFile(int request, String path, int mode, int uid, int gid, long offset, Blob data)
            implements NodeFrame {}

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
        /** The values of the environment may be secrets. */
        @Override
        public String toString() {
            return "Spawn(" + process + ", " + argv + ", " + env.keySet() + ")";
        }
    }

    /** Bytes for a process's standard input; never more than the credit that the guest has given. */
    record Stdin(int process, Blob data) implements NodeFrame {}

    /** Closes a process's standard input. */
    record CloseStdin(int process) implements NodeFrame {}

    /** Delivers a signal to a process's whole process group. */
    record Signal(int process, int signal) implements NodeFrame {}

    /** Tells a process's terminal its new size. */
    record Resize(int process, TerminalSize size) implements NodeFrame {}

    /** Allows the guest to send further bytes of a process's output. */
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

    /** The resource limits that a process may be given; the wire carries the position in this enum. */
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
