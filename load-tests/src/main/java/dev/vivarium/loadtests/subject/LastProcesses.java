package dev.vivarium.loadtests.subject;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Polls when each container's last process is gone, independently of the engine, which reports many ends late. */
public final class LastProcesses implements Closeable {
    private static final long LOOK_MILLIS = 10;

    private final Map<String, ContainerProcesses> processes = new HashMap<>();
    private final Map<String, Instant> gone = new ConcurrentHashMap<>();
    private final Thread looking = new Thread(this::look, "last-processes");

    private LastProcesses() {}

    /** Starts watching containers that are running now. */
    public static LastProcesses watch(EngineApi engine, List<String> containers) throws IOException {
        LastProcesses watch = new LastProcesses();
        try {
            for (String container : containers) {
                watch.processes.put(container, new ContainerProcesses(engine.firstProcess(container), 0));
            }
        } catch (IOException unknown) {
            watch.closeAll();
            throw unknown;
        }
        watch.looking.setDaemon(true);
        watch.looking.start();
        return watch;
    }

    private void look() {
        try {
            while (gone.size() < processes.size()) {
                processes.forEach((container, live) -> {
                    if (!gone.containsKey(container) && live.count() <= 0) {
                        gone.put(container, Instant.now());
                    }
                });
                Pauses.millis(LOOK_MILLIS);
            }
        } catch (InterruptedIOException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /** When the container was first seen without a process. */
    public Optional<Instant> gone(String container) {
        return Optional.ofNullable(gone.get(container));
    }

    @Override
    public void close() throws IOException {
        looking.interrupt();
        try {
            looking.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        closeAll();
    }

    private void closeAll() throws IOException {
        for (ContainerProcesses one : processes.values()) {
            one.close();
        }
    }
}
