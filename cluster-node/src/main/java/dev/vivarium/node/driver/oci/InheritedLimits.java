package dev.vivarium.node.driver.oci;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hard limits that runtimes inherit from this process, as getrlimit(2) has them. A runtime can raise them for a sandbox only
 * with CAP_SYS_RESOURCE, which root in a container often lacks.
 *
 * @param mayRaise whether it has that
 * @param coreFiles bytes of a core file; a sandbox's limit is 1, at which the kernel starts no program for it
 * @param openFiles open files of a process
 */
record InheritedLimits(boolean mayRaise, long coreFiles, long openFiles) {
    /** A line of /proc/PID/limits: name, soft limit, hard limit, unit. */
    private static final String LINE = " +\\S+ +(\\d{1,18}|unlimited) +\\S+ *";

    private static final Pattern CORE_FILES = Pattern.compile("Max core file size" + LINE);
    private static final Pattern OPEN_FILES = Pattern.compile("Max open files" + LINE);
    private static final String CAPABILITIES = "CapEff:";
    private static final int SYS_RESOURCE = 24;
    private static final int HEXADECIMAL = 16;

    /** The limits of the process with this folder of /proc. */
    static InheritedLimits of(Path process) throws IOException {
        return of(Files.readAllLines(process.resolve("limits")), Files.readAllLines(process.resolve("status")));
    }

    /**
     * The limits of a process with these files.
     *
     * @param limits the lines of its limits
     * @param status the lines of its status
     */
    static InheritedLimits of(List<String> limits, List<String> status) {
        boolean mayRaise = status.stream()
                .filter(line -> line.startsWith(CAPABILITIES))
                .map(line -> Long.parseUnsignedLong(
                        line.substring(CAPABILITIES.length()).strip(), HEXADECIMAL))
                .anyMatch(capabilities -> ((capabilities >> SYS_RESOURCE) & 1) == 1);
        return new InheritedLimits(mayRaise, hard(limits, CORE_FILES), hard(limits, OPEN_FILES));
    }

    private static long hard(List<String> limits, Pattern line) {
        return limits.stream()
                .map(line::matcher)
                .filter(Matcher::matches)
                .map(match -> match.group(1))
                .mapToLong(number -> number.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(number))
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    /** Why runtimes could not limit any sandbox, as a clause. */
    Optional<String> objection() {
        return coreFiles == 0 && !mayRaise
                ? Optional.of("the node's hard limit for core files is 0, which it may not raise for its sandboxes"
                        + " (start it with `ulimit -S -c 0`, or with CAP_SYS_RESOURCE)")
                : Optional.empty();
    }

    /** Why a sandbox cannot have these limits, as a sentence. */
    Optional<String> objection(Limits limits) {
        long wanted = limits.get(Limit.OPEN_FILES);
        return wanted > openFiles && !mayRaise
                ? Optional.of("The run's openFiles is " + wanted + ", and this node can give " + openFiles
                        + ": its own hard limit, which it may not raise. Ask for fewer; or its operator starts it with a higher one"
                        + " (ulimit -H -n), or with CAP_SYS_RESOURCE.")
                : Optional.empty();
    }
}
