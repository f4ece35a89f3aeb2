package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Sandboxes have a limit of 1 byte for core files, at which the kernel starts no program for them. A runtime inherits the
 * node's limits, and can raise a hard one only with CAP_SYS_RESOURCE, which root in a container often lacks.
 */
final class CoreFileLimit {
    /** The line of a hard limit of nothing: name, soft limit, hard limit, unit. */
    private static final Pattern NONE = Pattern.compile("Max core file size +\\S+ +0 +\\S+ *");

    private static final String CAPABILITIES = "CapEff:";
    private static final int SYS_RESOURCE = 24;
    private static final int HEXADECIMAL = 16;

    private CoreFileLimit() {}

    /** Why this process's runtimes could not give sandboxes their limit, as a clause. */
    static Optional<String> objection(Path process) {
        try {
            return objection(
                    Files.readAllLines(process.resolve("limits")), Files.readAllLines(process.resolve("status")));
        } catch (IOException unreadable) {
            return Optional.of("the node's own limits cannot be read: " + unreadable.getMessage());
        }
    }

    /**
     * The same of a process with these files.
     *
     * @param limits the lines of its limits
     * @param status the lines of its status
     */
    static Optional<String> objection(List<String> limits, List<String> status) {
        boolean none = limits.stream().anyMatch(line -> NONE.matcher(line).matches());
        boolean mayRaise = status.stream()
                .filter(line -> line.startsWith(CAPABILITIES))
                .map(line -> Long.parseUnsignedLong(
                        line.substring(CAPABILITIES.length()).strip(), HEXADECIMAL))
                .anyMatch(capabilities -> ((capabilities >> SYS_RESOURCE) & 1) == 1);
        return none && !mayRaise
                ? Optional.of("the node's hard limit for core files is 0, which it may not raise for its sandboxes"
                        + " (start it with `ulimit -S -c 0`, or with CAP_SYS_RESOURCE)")
                : Optional.empty();
    }
}
