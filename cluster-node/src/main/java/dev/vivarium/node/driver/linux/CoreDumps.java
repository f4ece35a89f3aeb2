package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where this machine's kernel sends core dumps. With the sandboxes' limit of 1 byte the kernel writes no file and
 * starts no program (core(5), on piping). A pattern that names a socket (Linux 6.16 and later) ignores that limit.
 */
public final class CoreDumps {
    private static final String SOCKET = "@";

    private CoreDumps() {}

    /**
     * The warning for operators; empty when crashes in sandboxes reach no program of the host.
     *
     * @param proc the proc file system
     */
    public static Optional<String> warning(Path proc) {
        try {
            String pattern = Files.readString(proc.resolve("sys/kernel/core_pattern"), StandardCharsets.UTF_8)
                    .strip();
            return pattern.startsWith(SOCKET)
                    ? Optional.of("The kernel sends crashes of sandboxes, whatever their limits, to the program behind "
                            + pattern + ". Set kernel.core_pattern to a file or a pipe, or make sure that the program"
                            + " expects memory of hostile processes.")
                    : Optional.empty();
        } catch (IOException untold) {
            return Optional.empty();
        }
    }
}
