package dev.vivarium.loadtests.report;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a reader must know of the machine to make sense of the figures. */
public final class MachineFacts {
    private MachineFacts() {}

    /**
     * A few lines to stand above a table.
     *
     * @param engine what the container engine says of itself
     */
    public static String of(String engine) {
        return "machine  " + Runtime.getRuntime().availableProcessors() + " cores, " + memory() + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.version") + "\n"
                + "engine   " + engine + "\n"
                + "JDK      " + System.getProperty("java.runtime.version") + " (" + System.getProperty("java.vendor")
                + ")\n";
    }

    /** How many processes wanted a core in the last minute, on average; above the count of cores it was crowded. */
    public static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.2f", load);
    }

    private static String memory() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemTotal:")) {
                    long kibibytes = Long.parseLong(line.replaceAll("\\D", ""));
                    return Math.round(kibibytes / 1024.0 / 1024) + " GiB";
                }
            }
        } catch (IOException | NumberFormatException unreadable) {
            return "memory unknown";
        }
        return "memory unknown";
    }
}
