package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * The processor time that a node and what it started have used.
 *
 * @param node of the node's process
 * @param postgres of all processes of its embedded server that live; those that serve the node live as long as it does
 * @param others of everything else below the node, whether it lives or has ended: launcher, runtimes, guests, agents, and
 *     programs that configure the kernel's network
 */
public record ProcessorTimes(Duration node, Duration postgres, Duration others) {
    private static final String SERVER = "postgres";

    /** Reads a time of a process, which may have ended meanwhile. */
    private interface Reading {
        Duration of(long pid) throws IOException;
    }

    /** Until now. */
    public static ProcessorTimes of(long node) throws IOException {
        List<ProcessHandle> below = ProcessHandle.of(node).stream()
                .flatMap(ProcessHandle::descendants)
                .toList();
        return new ProcessorTimes(
                Kernel.processorTime(node),
                sum(below.stream().filter(ProcessorTimes::isServer), Kernel::processorTime),
                sum(below.stream().filter(other -> !isServer(other)), other -> Kernel.processorTime(other)
                                .plus(Kernel.processorTimeOfEnded(other)))
                        .plus(Kernel.processorTimeOfEnded(node)));
    }

    private static Duration sum(Stream<ProcessHandle> processes, Reading time) {
        return processes.map(process -> used(process, time)).reduce(Duration.ZERO, Duration::plus);
    }

    private static Duration used(ProcessHandle process, Reading time) {
        try {
            return time.of(process.pid());
        } catch (IOException ended) {
            // Its parent has its time.
            return Duration.ZERO;
        }
    }

    private static boolean isServer(ProcessHandle process) {
        return process.info()
                .command()
                .map(Path::of)
                .map(program -> String.valueOf(program.getFileName()))
                .filter(SERVER::equals)
                .isPresent();
    }

    /** What was used since an earlier time. */
    public ProcessorTimes since(ProcessorTimes before) {
        return new ProcessorTimes(
                node.minus(before.node), postgres.minus(before.postgres), others.minus(before.others));
    }

    /** All of it. */
    public Duration total() {
        return node.plus(postgres).plus(others);
    }
}
