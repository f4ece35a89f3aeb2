package dev.vivarium.node.driver.linux;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The first process of a container on this machine: its death is that of all others in the container, by the kernel's own
 * rule for process namespaces. In a sandbox with a kernel of its own it is that kernel.
 *
 * <p>An engine that is asked to kill starts a program for it, which asks and waits: 8 ms of a processor with runc, and for
 * as long as one cared to look with a runsc whose kernel hung. So what can be killed from here is killed here, and the
 * engine finds it dead.
 */
public final class InitProcess {
    private final ProcessHandle handle;

    private InitProcess(ProcessHandle handle) {
        this.handle = handle;
    }

    /**
     * Finds it by its number, unless that is another machine's, or was given anew.
     *
     * @param proc where the proc file system is
     * @param container the engine's full id, which is part of the path of the container's control groups
     */
    public static Optional<InitProcess> of(Path proc, long pid, String container) {
        // The handle remembers when the process was started, so it has to be there before the look at what it is.
        return ProcessHandle.of(pid)
                .filter(handle -> ContainerProcesses.isIn(proc.resolve(Long.toString(pid)), container))
                .map(InitProcess::new);
    }

    /** As the platform knows it: with when it was started, so that its number cannot come to mean another. */
    public ProcessHandle handle() {
        return handle;
    }

    /** Its number on this machine. */
    public long pid() {
        return handle.pid();
    }

    /** Whether it has not ended yet. */
    public boolean isAlive() {
        return handle.isAlive();
    }

    /** Kills without waiting for the end; false without the right to, or when it has ended. */
    public boolean kill() {
        return handle.destroyForcibly();
    }
}
