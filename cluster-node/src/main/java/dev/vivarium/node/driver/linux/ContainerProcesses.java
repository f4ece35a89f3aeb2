package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The processes of containers as this machine's kernel knows them, also of those whose start hangs. To find them takes a
 * look at every process of the machine, so this is for what is found and not for what was made here, whose
 * {@link InitProcess} is known.
 *
 * @param proc where the proc file system is
 */
public record ContainerProcesses(Path proc) {
    private static final Logger LOG = LoggerFactory.getLogger(ContainerProcesses.class);
    /** What forks meanwhile is found the next time; the first process takes all others with it. */
    private static final int ROUNDS_MAX = 10;

    /**
     * Kills them all. Does nothing to those of another machine, or without the right to.
     *
     * @param container the engine's full id, which is part of the path of the container's control groups
     * @return whether there were any that it may kill
     */
    public boolean kill(String container) {
        List<Long> alive = in(container);
        boolean any = false;
        for (int round = 0; round < ROUNDS_MAX && !alive.isEmpty(); round++) {
            boolean killed = false;
            for (long pid : alive) {
                // Java compares the process's start time, so that a number that was given anew is left alone.
                killed |= ProcessHandle.of(pid)
                        .filter(ProcessHandle::destroyForcibly)
                        .isPresent();
            }
            if (!killed) {
                return any;
            }
            any = true;
            alive = in(container);
        }
        return any;
    }

    /** Their process ids, as this machine counts them. */
    public List<Long> in(String container) {
        List<Long> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                if (isIn(process, container)) {
                    found.add(Long.parseLong(process.getFileName().toString()));
                }
            }
        } catch (IOException | DirectoryIteratorException unreadable) {
            LOG.debug("The processes of this machine cannot be listed: {}", unreadable.toString());
        }
        return found;
    }

    /** Whether the process, as its folder in the proc file system, is in the container. */
    static boolean isIn(Path process, String container) {
        try {
            return new String(Files.readAllBytes(process.resolve("cgroup")), StandardCharsets.US_ASCII)
                    .contains(container);
        } catch (IOException ended) {
            return false;
        }
    }
}
