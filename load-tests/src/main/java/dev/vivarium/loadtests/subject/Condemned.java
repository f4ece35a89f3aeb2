package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;

/** One command that runs and has a deadline. */
public final class Condemned implements Closeable {
    private final Manner manner;
    private final long deadlineNanos;
    private final ContainerProcesses processes;

    Condemned(Manner manner, long deadlineNanos, ContainerProcesses processes) {
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
