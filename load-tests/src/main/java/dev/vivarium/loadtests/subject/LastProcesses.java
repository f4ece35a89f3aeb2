package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Polls when each sandbox's last process is gone, independently of the engine, which reports many ends late. */
public final class LastProcesses implements Closeable {
    private static final long LOOK_MILLIS = 10;

    private final Map<String, ContainerProcesses> processes;
    private final Map<String, Instant> gone = new ConcurrentHashMap<>();
    private final Thread looking = new Thread(this::look, "last-processes");

    private LastProcesses(Map<String, ContainerProcesses> processes) {
        this.processes = Map.copyOf(processes);
    }

    /**
     * Starts watching sandboxes that are running now.
     *
     * @param processes those of each sandbox, by its id; closed with this
     */
    public static LastProcesses watch(Map<String, ContainerProcesses> processes) {
        LastProcesses watch = new LastProcesses(processes);
        watch.looking.setDaemon(true);
        watch.looking.start();
        return watch;
    }

    private void look() {
        try {
            while (gone.size() < processes.size()) {
                processes.forEach((sandbox, live) -> {
                    if (!gone.containsKey(sandbox) && live.count() <= 0) {
                        gone.put(sandbox, Instant.now());
                    }
                });
                Pauses.millis(LOOK_MILLIS);
            }
        } catch (InterruptedIOException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /** When the sandbox was first seen without a process. */
    public Optional<Instant> gone(String sandbox) {
        return Optional.ofNullable(gone.get(sandbox));
    }

    @Override
    public void close() throws IOException {
        looking.interrupt();
        try {
            looking.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        for (ContainerProcesses one : processes.values()) {
            one.close();
        }
    }
}
