package dev.vivarium.node.driver.linux;

import dev.vivarium.node.kernel.PageSize;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Kernel memory of this machine, from /proc/meminfo and /proc/zoneinfo.
 *
 * @param proc the proc file system
 */
public record KernelMemoryFiles(Path proc) {
    /** Unreclaimable memory, except stacks and page tables, which are charged to their owners. */
    private static final List<Pattern> PARTS = List.of(line("SUnreclaim"), line("VmallocUsed"));

    private static final Pattern ALL = line("MemTotal");
    private static final Pattern PAGES_AT_HAND = Pattern.compile(" +count: +([0-9]{1,15})");

    /** What the kernel tells the use of. Single pages that it holds are in no line: queues of sockets and pipes. */
    private static final List<Pattern> TOLD = Stream.of(
                    "MemFree",
                    "Buffers",
                    "Cached",
                    "SwapCached",
                    "Zswap",
                    "AnonPages",
                    "Slab",
                    "KernelStack",
                    "PageTables",
                    "SecPageTables",
                    "VmallocUsed",
                    "Percpu",
                    "Balloon",
                    "Hugetlb")
            .map(KernelMemoryFiles::line)
            .toList();

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
        return sum(text(), PARTS);
    }

    /** What the kernel tells no use of, in bytes: pages that it took one by one. */
    public long untoldBytes() throws IOException {
        String text = text();
        return Math.max(0, bytes(text, ALL) - sum(text, TOLD) - freeOfProcessors());
    }

    /** Free pages that each processor has at hand, hundreds of megabytes after many were freed: meminfo leaves them out. */
    private long freeOfProcessors() throws IOException {
        long pages = 0;
        try (BufferedReader zones = Files.newBufferedReader(proc.resolve("zoneinfo"), StandardCharsets.US_ASCII)) {
            for (String line = zones.readLine(); line != null; line = zones.readLine()) {
                Matcher count = PAGES_AT_HAND.matcher(line);
                pages += count.matches() ? Long.parseLong(count.group(1)) : 0;
            }
        }
        return pages * PageSize.bytes(proc);
    }

    private String text() throws IOException {
        return Files.readString(proc.resolve("meminfo"), StandardCharsets.US_ASCII);
    }

    private static long sum(String meminfo, List<Pattern> lines) {
        return lines.stream().mapToLong(line -> bytes(meminfo, line)).sum();
    }
}
