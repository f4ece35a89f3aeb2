package dev.vivarium.loadtests.subject;

import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Runs with a wall clock limit. */
public final class TimedRunsOfVivarium implements TimedRuns {
    private static final long POLL_MILLIS = 5;
    private static final Duration SETTLING_MAX = Duration.ofSeconds(30);

    private final VivariumApi api;
    private final GuestProcess guests;
    private final String image;
    private final long bootNanos;
    private final Queue<RunId> runs = new ConcurrentLinkedQueue<>();
    /** The duration of the last start: the limit counts from the agent's start, which is not known at submission. */
    private final AtomicLong startNanos = new AtomicLong(Duration.ofMillis(500).toNanos());

    public TimedRunsOfVivarium(VivariumApi api, EngineApi engine, String image) throws IOException {
        this.api = api;
        this.guests = new GuestProcess(engine);
        this.image = image;
        this.bootNanos = Kernel.boot();
    }

    @Override
    public TimedCommand start(Manner manner, long aimNanos) throws IOException {
        long submittedNanos = System.nanoTime();
        long wallClockMillis =
                Duration.ofNanos(aimNanos - submittedNanos - startNanos.get()).toMillis();
        if (wallClockMillis < 1) {
            throw new IOException("The deadline is over before all runs have started; give them longer with --lead.");
        }
        RunId run = api.submit(
                new Workload(image, manner.command()), Map.of("wallClock", wallClockMillis + "ms", "idle", "2h"));
        runs.add(run);
        api.awaitRunning(run);
        long guest = guests.of(run);
        ContainerProcesses processes = new ContainerProcesses(guest, guest);
        long agent = awaitAll(processes, manner, run);
        long agentNanos = Kernel.startNanos(agent, bootNanos);
        startNanos.set(agentNanos - submittedNanos);
        return new TimedCommand(
                manner, agentNanos + Duration.ofMillis(wallClockMillis).toNanos(), processes);
    }

    /** Waits until it is set up; returns its first process, the one with the lowest start time. */
    private long awaitAll(ContainerProcesses processes, Manner manner, RunId run) throws IOException {
        long latest = System.nanoTime() + SETTLING_MAX.toNanos();
        while (processes.count() < manner.processes()) {
            if (System.nanoTime() - latest > 0) {
                throw new IOException("Run " + run + " does not become " + manner + ".");
            }
            Pauses.millis(POLL_MILLIS);
        }
        long first = 0;
        for (long pid : processes.pids()) {
            if (first == 0 || Kernel.startNanos(pid, bootNanos) < Kernel.startNanos(first, bootNanos)) {
                first = pid;
            }
        }
        return first;
    }

    @Override
    public String verdicts() throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (RunId run : runs) {
            counts.merge(api.awaitEnd(run), 1, Integer::sum);
        }
        return counts.toString();
    }

    @Override
    public void clear() throws IOException {
        for (RunId run : runs) {
            api.cancel(run);
        }
        verdicts();
        runs.clear();
    }

    @Override
    public void close() {
        // They end with their node.
    }
}
