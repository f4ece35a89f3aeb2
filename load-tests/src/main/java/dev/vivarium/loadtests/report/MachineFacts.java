package dev.vivarium.loadtests.report;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a reader must know about the machine to interpret the figures. */
public final class MachineFacts {
    private MachineFacts() {}

    /** Processors, memory and kernel. */
    public static String machine() {
        return Runtime.getRuntime().availableProcessors() + " cores, " + memory() + ", " + System.getProperty("os.name")
                + " " + System.getProperty("os.version");
    }

    /** The version of Java. */
    public static String java() {
        return System.getProperty("java.runtime.version") + " (" + System.getProperty("java.vendor") + ")";
    }

    /**
     * The average number of runnable processes in the last minute; above the number of cores the machine was
     * overloaded.
     */
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
