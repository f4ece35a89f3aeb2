package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The processor time that a node and its embedded PostgreSQL have used.
 *
 * @param node of the node's process
 * @param postgres of all processes of its server that live; those that serve the node live as long as it does
 */
public record ProcessorTimes(Duration node, Duration postgres) {
    private static final String SERVER = "postgres";

    /** Until now. */
    public static ProcessorTimes of(long node) throws IOException {
        Duration postgres = ProcessHandle.of(node).stream()
                .flatMap(ProcessHandle::descendants)
                .filter(ProcessorTimes::isServer)
                .map(ProcessorTimes::used)
                .reduce(Duration.ZERO, Duration::plus);
        return new ProcessorTimes(Kernel.processorTime(node), postgres);
    }

    private static Duration used(ProcessHandle server) {
        try {
            return Kernel.processorTime(server.pid());
        } catch (IOException ended) {
            // One of its short-lived workers.
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
        return new ProcessorTimes(node.minus(before.node), postgres.minus(before.postgres));
    }
}
