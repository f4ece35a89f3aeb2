package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Processes left behind by an earlier server on the same data. Every PostgreSQL process has the data directory as its
 * working directory, so they are found by that, in any mount namespace, rather than by a pid from a file, which may
 * have been reused. None may be left when a server starts: two servers would write the same files.
 *
 * <p>Normally they end by themselves: a server whose node died gets its death signal, and the children of a killed
 * server notice that. They get {@link #PATIENCE} for it; then they are killed, which the journal survives like any
 * crash.
 */
final class Leftovers {
    private static final Logger log = LoggerFactory.getLogger(Leftovers.class);

    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final Duration GIVE_UP = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 10;
    /** Matches also when the program's file has been removed since. */
    private static final Pattern PROGRAM = Pattern.compile(".*/postgres( \\(deleted\\))?");

    private Leftovers() {}

    /** Waits until no process works in the data directory, then removes the file that would stop the next server. */
    static void clear(Path data, Clock clock) throws IOException, InterruptedException {
        Instant start = clock.instant();
        boolean killed = false;
        for (List<ProcessHandle> left = in(data); !left.isEmpty(); left = in(data)) {
            Duration waited = Duration.between(start, clock.instant());
            if (waited.compareTo(GIVE_UP) > 0) {
                throw new StoreUnavailable(
                        "Processes of an earlier PostgreSQL still work in " + data + " and cannot be killed: "
                                + left.stream().map(ProcessHandle::pid).toList() + ".");
            }
            if (waited.compareTo(PATIENCE) > 0 && !killed) {
                log.warn("Killing what an earlier PostgreSQL left behind in {}: {}", data, left);
                left.forEach(ProcessHandle::destroyForcibly);
                killed = true;
            }
            Thread.sleep(POLL_MILLIS);
        }
        Files.deleteIfExists(data.resolve("postmaster.pid"));
    }

    /** The server processes that work in the data directory now. */
    static List<ProcessHandle> in(Path data) throws IOException {
        List<ProcessHandle> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (worksIn(process, data)) {
                    ProcessHandle.of(Long.parseLong(process.getFileName().toString()))
                            .ifPresent(found::add);
                }
            }
        }
        return found;
    }

    private static boolean worksIn(Path process, Path data) {
        try {
            // The program first: a shell in the data directory is an operator's, and none of our business.
            String program = Files.readSymbolicLink(process.resolve("exe")).toString();
            return PROGRAM.matcher(program).matches() && Files.isSameFile(process.resolve("cwd"), data);
        } catch (IOException goneOrForeign) {
            return false;
        }
    }
}
