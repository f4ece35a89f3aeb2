package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code timeout} around {@code docker run}, as its users type it. The deadline is timeout's, and so counts from the
 * client's start; what is awaited is the end of the container's processes.
 */
public final class TimedDockerRuns implements TimedRuns {
    private static final String LABEL =
            "dev.vivarium.benchmark=kill-precision-" + ProcessHandle.current().pid();
    private static final Duration START_MAX = Duration.ofMinutes(3);
    private static final long CLIENT_SECONDS_MAX = 20;
    private static final long POLL_MILLIS = 20;
    private static final int EMPTY_LOOKS = 3;
    private static final int REMOVALS_AT_ONCE = 4;
    private static final long LOOK_MILLIS = 500;

    private final EngineApi engine;
    private final String image;
    private final Queue<Process> clients = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final Thread lastWill = new Thread(this::takeAway, "take the containers away");

    public TimedDockerRuns(EngineApi engine, String image) {
        this.engine = engine;
        this.image = image;
        Runtime.getRuntime().addShutdownHook(lastWill);
    }

    /** The command line, for the report. */
    public static String line(String image) {
        return "timeout -k 0.05 SECONDS docker run --rm --init --log-driver none --network none " + image
                + " sh -c SCRIPT";
    }

    @Override
    public TimedCommand start(Manner manner, long aimNanos) throws IOException {
        String name = "vivarium-kill-precision-" + ProcessHandle.current().pid() + "-" + count.incrementAndGet();
        long startedNanos = System.nanoTime();
        long millis = Duration.ofNanos(aimNanos - startedNanos).toMillis();
        List<String> line = new ArrayList<>(List.of("timeout", "-k", "0.05"));
        line.add(String.format(Locale.ROOT, "%.3f", millis / 1000.0));
        line.addAll(List.of("docker", "run", "--rm", "--init", "--log-driver", "none", "--network", "none"));
        line.addAll(List.of("--name", name, "--label", LABEL, image));
        line.addAll(manner.command());
        clients.add(new ProcessBuilder(line)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
        return new TimedCommand(manner, startedNanos + Duration.ofMillis(millis).toNanos(), awaitAll(name, manner));
    }

    private ContainerProcesses awaitAll(String name, Manner manner) throws IOException {
        long latest = System.nanoTime() + START_MAX.toNanos();
        while (System.nanoTime() - latest < 0) {
            List<String> containers = engine.list("name", "^/" + name + "$");
            long first = containers.isEmpty() ? 0 : engine.firstProcess(containers.get(0));
            if (first > 0) {
                ContainerProcesses processes = new ContainerProcesses(first, 0);
                // The engine's own init is one of them.
                if (processes.count() > manner.processes()) {
                    return processes;
                }
                processes.close();
            }
            Pauses.millis(POLL_MILLIS);
        }
        throw new IOException("The container " + name + " did not start in " + START_MAX.toSeconds() + " s.");
    }

    @Override
    public String verdicts() throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (Process client : clients) {
            try {
                if (client.waitFor(CLIENT_SECONDS_MAX, TimeUnit.SECONDS)) {
                    counts.merge("exit " + client.exitValue(), 1, Integer::sum);
                } else {
                    counts.merge("still there", 1, Integer::sum);
                }
            } catch (InterruptedException interrupted) {
                throw Pauses.interrupted();
            }
        }
        return counts.toString();
    }

    @Override
    public void clear() throws IOException {
        for (Process client : clients) {
            // Ending timeout would leave docker's client, which may be about to create a container.
            client.descendants().forEach(ProcessHandle::destroyForcibly);
            client.destroyForcibly();
        }
        clients.clear();
        // Containers that the engine was creating for them appear a moment later.
        for (int emptyLooks = 0; emptyLooks < EMPTY_LOOKS; emptyLooks++) {
            List<String> left = engine.list("label", LABEL);
            if (!left.isEmpty()) {
                emptyLooks = 0;
                InFlight.all(left.size(), REMOVALS_AT_ONCE, index -> {
                    engine.removeIfThere(left.get(index));
                    return left.get(index);
                });
            }
            Pauses.millis(LOOK_MILLIS);
        }
    }

    @Override
    public void close() throws IOException {
        // The clean-up stays registered until there is nothing to clean up: this may take minutes, and be interrupted.
        clear();
        try {
            Runtime.getRuntime().removeShutdownHook(lastWill);
        } catch (IllegalStateException ending) {
            // This program is being terminated, and the clean-up finds nothing.
            return;
        }
    }

    private void takeAway() {
        try {
            clear();
        } catch (IOException left) {
            System.err.println(
                    "vivarium bench: containers with the label " + LABEL + " are left: " + left.getMessage());
        }
    }
}
