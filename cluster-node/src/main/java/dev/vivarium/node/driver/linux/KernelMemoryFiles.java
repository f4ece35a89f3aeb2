package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Kernel memory of this machine, from /proc/meminfo.
 *
 * @param meminfo that file
 */
public record KernelMemoryFiles(Path meminfo) {
    /** Unreclaimable memory, except stacks and page tables, which are charged to their owners. */
    private static final List<Pattern> PARTS = List.of(line("SUnreclaim"), line("VmallocUsed"));

    /** Matches the line of a name, for {@link #bytes(String, Pattern)}. */
    static Pattern line(String name) {
        return Pattern.compile("(?m)^" + name + ": +([0-9]+) kB$");
    }

    /** The amount in the line, in bytes; zero when it is missing. */
    static long bytes(String meminfo, Pattern line) {
        Matcher found = line.matcher(meminfo);
        return found.find() ? Long.parseLong(found.group(1)) << 10 : 0;
    }

    /** In bytes, including what is charged to control groups. */
    public long bytes() throws IOException {
        String text = Files.readString(meminfo, StandardCharsets.US_ASCII);
        return PARTS.stream().mapToLong(part -> bytes(text, part)).sum();
    }
}
