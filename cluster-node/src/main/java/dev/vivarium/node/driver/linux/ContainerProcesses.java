package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The processes of containers on this machine, including those whose start hangs. Finding them scans every process of
 * the machine, so this is for containers found by a sweep; those created here have a known {@link InitProcess}.
 *
 * @param proc the proc file system
 */
public record ContainerProcesses(Path proc) {
    private static final Logger LOG = LoggerFactory.getLogger(ContainerProcesses.class);
    /** Processes forked meanwhile are found in the next round; killing the init process ends all others. */
    private static final int ROUNDS_MAX = 10;

    /**
     * Kills them all. Has no effect on another machine's processes, or without permission.
     *
     * @param container the engine's full id, which is part of the path of the container's control groups
     * @return whether it could kill any
     */
    public boolean kill(String container) {
        List<Long> alive = in(container);
        boolean any = false;
        for (int round = 0; round < ROUNDS_MAX && !alive.isEmpty(); round++) {
            boolean killed = false;
            for (long pid : alive) {
                // ProcessHandle compares start times, so a process with a reused id is not killed.
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

    /**
     * Kills the processes of this machine that have these two consecutive arguments: running runtimes,
     * which are in no container yet.
     */
    public void killCalledWith(String option, String value) {
        String arguments = "\0" + option + "\0" + value + "\0";
        boolean killed = true;
        for (int round = 0; round < ROUNDS_MAX && killed; round++) {
            killed = false;
            for (long pid : matching(process -> holds(process.resolve("cmdline"), arguments))) {
                killed |= ProcessHandle.of(pid)
                        .filter(handle -> holds(proc.resolve(pid + "/cmdline"), arguments))
                        .filter(ProcessHandle::destroyForcibly)
                        .isPresent();
            }
        }
    }

    /** Their process ids on this machine. */
    public List<Long> in(String container) {
        return matching(process -> isIn(process, container));
    }

    private List<Long> matching(Predicate<Path> wanted) {
        List<Long> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                if (wanted.test(process)) {
                    found.add(Long.parseLong(process.getFileName().toString()));
                }
            }
        } catch (IOException | DirectoryIteratorException unreadable) {
            LOG.debug("The processes of this machine cannot be listed: {}", unreadable.toString());
        }
        return found;
    }

    /** Whether a process, given by its directory in the proc file system, is in the container. */
    static boolean isIn(Path process, String container) {
        return holds(process.resolve("cgroup"), container);
    }

    private static boolean holds(Path file, String text) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text);
        } catch (IOException ended) {
            return false;
        }
    }
}
