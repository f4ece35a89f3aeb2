package dev.vivarium.node.driver.linux;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The first process of a container on this machine. When it ends, the kernel kills all others in its process namespace.
 * In a sandbox with its own kernel it is that kernel.
 *
 * <p>To kill a container, an engine starts a program: that takes 8 ms of processor time with runc, and never ended with
 * a runsc whose kernel hung. So the node kills the process itself where it can, and the engine notices the end.
 */
public final class InitProcess {
    private final ProcessHandle handle;

    private InitProcess(ProcessHandle handle) {
        this.handle = handle;
    }

    /**
     * Finds it by its process id, unless that belongs to another machine or was reused.
     *
     * @param proc the proc file system
     * @param container the engine's full id, which is part of the path of the container's control groups
     */
    public static Optional<InitProcess> of(Path proc, long pid, String container) {
        // The handle records the process's start time, so it must be obtained before the check.
        return ProcessHandle.of(pid)
                .filter(handle -> ContainerProcesses.isIn(proc.resolve(Long.toString(pid)), container))
                .map(InitProcess::new);
    }

    /** The process with its start time, so that a reused id is not mistaken for it. */
    public ProcessHandle handle() {
        return handle;
    }

    /** Its process id on this machine. */
    public long pid() {
        return handle.pid();
    }

    /** Whether it has not ended yet. */
    public boolean isAlive() {
        return handle.isAlive();
    }

    /** Kills without waiting for the end; returns false without permission, or when it has ended. */
    public boolean kill() {
        return handle.destroyForcibly();
    }
}
