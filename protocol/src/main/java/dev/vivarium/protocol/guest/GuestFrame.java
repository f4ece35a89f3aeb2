package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.run.Blob;

/** What the guest tells the node. Untrusted: the agent may have broken the guest. */
public sealed interface GuestFrame {
    /** The first frame: the guest is up and waits. */
    record Hello(int protocolVersion) implements GuestFrame {}

    /** The process runs. */
    record Spawned(int process, int pid) implements GuestFrame {}

    /** The process could not be started. */
    record SpawnFailed(int process, Stage stage, int errno) implements GuestFrame {}

    /** Bytes that a process wrote. */
    record Output(int process, NodeFrame.Stream stream, Blob data) implements GuestFrame {}

    /** The stream has ended: every holder of its other end has closed it. */
    record OutputClosed(int process, NodeFrame.Stream stream) implements GuestFrame {}

    /** The process ended by itself, with an exit code; its descendants may still live. */
    record Exited(int process, int exitCode) implements GuestFrame {}

    /** The process was ended by a signal. */
    record Signaled(int process, int signal) implements GuestFrame {}

    /** Allows the node to send further bytes to a process's standard input. */
    record StdinCredit(int process, int bytes) implements GuestFrame {}

    /** A file request has ended; {@code errno} is 0 when it succeeded. */
    record Done(int request, int errno) implements GuestFrame {}

    /** No process but the guest is left. */
    record AllGone() implements GuestFrame {}

    /**
     * What is stored in the writable places (workspace and /tmp), sent when it changes, ten times a second at most.
     *
     * @param files files and folders, the places' own folders not counted
     */
    record Disk(long usedBytes, long limitBytes, long files, Pressure pressure) implements GuestFrame {}

    /**
     * Processes and threads in the sandbox beside the guest itself, sent when it changes, ten times a second at most; only
     * where the kernel that the guest sees is the sandbox's own, and the host's cannot tell.
     */
    record Pids(int count) implements GuestFrame {}

    /** The answer to {@link NodeFrame.Ping}. */
    record Pong(int request) implements GuestFrame {}

    /** How far starting a process came. */
    enum Stage {
        PREPARE,
        WORKDIR,
        EXEC
    }

    /** Whether a writable place is full (its bytes or its inodes), so that writes fail. */
    enum Pressure {
        NONE,
        FULL
    }
}
