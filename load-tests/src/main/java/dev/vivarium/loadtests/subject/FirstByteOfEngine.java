package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Create, attach and start through the engine's own API, in the fastest way: the first byte often arrives before the
 * engine has answered the start, so both are awaited concurrently. Records the time of each step.
 */
public final class FirstByteOfEngine implements FirstByte {
    private final EngineApi engine;
    private final Workload workload;
    private final List<Steps> steps = new ArrayList<>();

    /**
     * The steps of one container up to its first byte.
     *
     * @param create until the engine has answered to create
     * @param attach from there until the output is attached
     * @param printed from there, which is the call to start it, until the first byte
     * @param start from the call to start it until the engine's answer
     */
    public record Steps(Duration create, Duration attach, Duration printed, Duration start) {}

    public FirstByteOfEngine(EngineApi engine, Workload workload) {
        this.engine = engine;
        this.workload = workload;
    }

    @Override
    public Duration once() throws IOException {
        long began = System.nanoTime();
        String container = engine.create(workload.container());
        long created = System.nanoTime();
        try (EngineApi.Output output = engine.attach(container)) {
            long attached = System.nanoTime();
            FutureTask<Long> printing = new FutureTask<>(() -> {
                output.awaitFirstByte();
                return System.nanoTime();
            });
            new Thread(printing, "first byte").start();
            engine.start(container);
            long started = System.nanoTime();
            long printed = when(printing);
            steps.add(new Steps(
                    Duration.ofNanos(created - began),
                    Duration.ofNanos(attached - created),
                    Duration.ofNanos(printed - attached),
                    Duration.ofNanos(started - attached)));
            engine.awaitExit(container);
            return Duration.ofNanos(printed - began);
        } finally {
            engine.remove(container);
        }
    }

    private static long when(FutureTask<Long> printing) throws IOException {
        try {
            return printing.get();
        } catch (ExecutionException failed) {
            throw new IOException("The container printed nothing: " + failed.getCause(), failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /** The steps of the newest containers, up to the given number. */
    public List<Steps> newest(int count) {
        return List.copyOf(steps.subList(Math.max(0, steps.size() - count), steps.size()));
    }
}
