package dev.vivarium.node.driver.linux;

import dev.vivarium.node.kernel.KernelText;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the sockets of TCP and UDP of one network namespace hold, by their own account: the kernel tells that by its socket
 * diagnosis only, which the program {@code ss} of iproute2 prints. Takes some 20 ms, so it is for rare looks.
 */
public final class SocketQueues {
    private static final Duration LIMIT = Duration.ofSeconds(2);
    /** Received, and to be sent; what is kept for the next data is neither. */
    private static final Pattern MEMORY = Pattern.compile("skmem:\\(r([0-9]{1,12}),.*?,w([0-9]{1,12}),");

    private static final Pattern IN_USE = Pattern.compile("(?m)^(?:TCP|UDP)6?: inuse [1-9]");
    private static final int TABLE_BYTES_MAX = 4096;

    private SocketQueues() {}

    /**
     * The bytes in the queues of a namespace; zero where they cannot be read. Blocks.
     *
     * @param process the folder in the proc file system of a process in it
     */
    public static long bytes(Path process) {
        try {
            return hasSockets(process) ? sum(process) : 0;
        } catch (IOException unreadable) {
            CgroupFiles.LOG.debug("The sockets of {} cannot be read: {}", process, unreadable.toString());
            return 0;
        }
    }

    private static boolean hasSockets(Path process) throws IOException {
        return hasSockets(table(process, "sockstat")) || hasSockets(table(process, "sockstat6"));
    }

    private static String table(Path process, String name) throws IOException {
        return KernelText.read(process.resolve("net").resolve(name), TABLE_BYTES_MAX);
    }

    /** Whether there are any, by a namespace's numbers of sockets. */
    static boolean hasSockets(String numbers) {
        return IN_USE.matcher(numbers).find();
    }

    private static long sum(Path process) throws IOException {
        Process table = new ProcessBuilder("nsenter", "--net=" + process.resolve("ns/net"), "ss", "-tuanmOH")
                .redirectInput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        CompletableFuture.delayedExecutor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                .execute(table::destroyForcibly);
        try (BufferedReader lines = table.inputReader(StandardCharsets.ISO_8859_1)) {
            long sum = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                sum += ofSocket(line);
            }
            return sum;
        } finally {
            table.destroyForcibly();
        }
    }

    /** The bytes of one socket, by its line; zero for another line. */
    static long ofSocket(String line) {
        Matcher memory = MEMORY.matcher(line);
        return memory.find() ? Long.parseLong(memory.group(1)) + Long.parseLong(memory.group(2)) : 0;
    }
}
