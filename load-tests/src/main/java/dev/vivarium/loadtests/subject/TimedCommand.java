package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/** A running command with a deadline. */
public final class TimedCommand implements Closeable {
    private final Manner manner;
    private final long deadlineNanos;
    private final ContainerProcesses processes;

    TimedCommand(Manner manner, long deadlineNanos, ContainerProcesses processes) {
        this.manner = manner;
        this.deadlineNanos = deadlineNanos;
        this.processes = processes;
    }

    public Manner manner() {
        return manner;
    }

    /** When its last process should be gone, by {@link System#nanoTime}. */
    public long deadlineNanos() {
        return deadlineNanos;
    }

    boolean isGone() {
        return processes.count() <= 0;
    }

    @Override
    public void close() throws IOException {
        processes.close();
    }
}
