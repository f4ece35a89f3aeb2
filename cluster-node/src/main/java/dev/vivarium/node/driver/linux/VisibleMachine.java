package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Limit;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The machine as a sandbox sees it: the kernel's files about processors and memory, with the sandbox's
 * limits as the sizes, and without what the rest of the machine does. Runtimes of languages, allocators and build tools size
 * themselves by these files; with the machine's sizes they plan for memory that ends the run.
 *
 * <p>Drivers bind the files over the kernel's, read-only. They stay as they are while a sandbox lives, so nothing is ever in
 * use in them. Pure.
 */
public final class VisibleMachine {
    /**
     * What programs choose their code by, on x86 and ARM. Left out are the microcode's revision, the bugs that the kernel
     * works around, and serial numbers.
     */
    private static final Set<String> OF_A_PROCESSOR = Set.of(
            "vendor_id",
            "cpu family",
            "model",
            "model name",
            "stepping",
            "cpu MHz",
            "cache size",
            "physical id",
            "core id",
            "apicid",
            "initial apicid",
            "fpu",
            "fpu_exception",
            "cpuid level",
            "wp",
            "flags",
            "bogomips",
            "TLB size",
            "clflush size",
            "cache_alignment",
            "address sizes",
            "power management",
            "BogoMIPS",
            "Features",
            "CPU implementer",
            "CPU architecture",
            "CPU variant",
            "CPU part",
            "CPU revision");

    /** Numbers of processors in one socket. */
    private static final Set<String> IN_A_SOCKET = Set.of("siblings", "cpu cores");

    private static final String MEMORY_TOTAL = "MemTotal";
    private static final Set<String> ALL_OF_THE_MEMORY = Set.of(MEMORY_TOTAL, "MemFree", "MemAvailable");
    /** Constants of the kernel, not amounts. */
    private static final Set<String> CONSTANTS = Set.of("VmallocTotal", "Hugepagesize");

    /** Each processor was idle for a second, so that programs can divide by the sum of its times. */
    private static final int IDLE_TICKS = 100;

    private static final Set<String> OVER_AN_OWN_KERNEL = Set.of(HostMachine.MEMINFO, HostMachine.ONLINE);

    private static final int MILLICORES = 1000;
    private static final long KIB = 1024;

    private VisibleMachine() {}

    /**
     * The content of the files that a sandbox sees instead of the kernel's, by path. A sandbox's own kernel has counters of
     * its own and no control groups, but the machine's number of processors, and as its memory all that its group may use.
     */
    public static Map<String, String> files(HostMachine host, SandboxTemplate template) {
        int cpus = cpus(host, Limit.CPU.amountIn(template.limits()));
        long bytes = memoryBytes(host, Limit.MEMORY.amountIn(template.limits()));
        Map<String, String> files = new TreeMap<>();
        for (String path : host.files()) {
            if (template.isolation().hasOwnKernel() && !OVER_AN_OWN_KERNEL.contains(path)) {
                continue;
            }
            files.put(
                    path,
                    switch (path) {
                        case HostMachine.CPUINFO -> cpuinfo(host, cpus);
                        case HostMachine.LOADAVG -> "0.00 0.00 0.00 1/1 1\n";
                        case HostMachine.MEMINFO -> meminfo(host, bytes / KIB);
                        case HostMachine.ONLINE -> cpus == 1 ? "0\n" : "0-" + (cpus - 1) + "\n";
                        case HostMachine.STAT -> stat(host, cpus);
                        default -> bytes + "\n";
                    });
        }
        return files;
    }

    /** Part of a processor is one: programs cannot start less than a thread. */
    private static int cpus(HostMachine host, long millicores) {
        long whole = (millicores + MILLICORES - 1) / MILLICORES;
        return (int) Math.max(1, Math.min(whole, host.cpus()));
    }

    private static long memoryBytes(HostMachine host, long limitBytes) {
        return host.memory().stream()
                .filter(line -> name(line).equals(MEMORY_TOTAL))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * KIB)
                .reduce(limitBytes, Math::min);
    }

    private static String cpuinfo(HostMachine host, int cpus) {
        StringBuilder file = new StringBuilder();
        for (int number = 0; number < Math.min(cpus, host.processors().size()); number++) {
            file.append("processor\t: ").append(number).append('\n');
            for (String line : host.processors().get(number)) {
                String name = name(line);
                if (OF_A_PROCESSOR.contains(name)) {
                    file.append(line).append('\n');
                } else if (IN_A_SOCKET.contains(name)) {
                    file.append(line, 0, line.indexOf(':'))
                            .append(": ")
                            .append(Math.min(cpus, Integer.parseInt(value(line))))
                            .append('\n');
                }
            }
            file.append('\n');
        }
        return file.toString();
    }

    /** The kernel's names and units. */
    private static String meminfo(HostMachine host, long totalKib) {
        StringBuilder file = new StringBuilder();
        for (String line : host.memory()) {
            String name = name(line);
            if (CONSTANTS.contains(name)) {
                file.append(line).append('\n');
            } else {
                file.append("%-16s%8d%s\n"
                        .formatted(
                                name + ":",
                                ALL_OF_THE_MEMORY.contains(name) ? totalKib : 0,
                                line.endsWith(" kB") ? " kB" : ""));
            }
        }
        return file.toString();
    }

    /** Keeps the machine's boot time, since the start times of processes are relative to it. */
    private static String stat(HostMachine host, int cpus) {
        String times = "%s 0 0 0 %d 0 0 0 0 0 0\n";
        StringBuilder file = new StringBuilder(times.formatted("cpu ", cpus * IDLE_TICKS));
        for (int number = 0; number < cpus; number++) {
            file.append(times.formatted("cpu" + number, IDLE_TICKS));
        }
        return file.append("intr 0\nctxt 0\n")
                .append(host.bootTime())
                .append("\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n")
                .toString();
    }

    private static String name(String line) {
        int colon = line.indexOf(':');
        return colon < 0 ? "" : line.substring(0, colon).strip();
    }

    private static String value(String line) {
        return line.substring(line.indexOf(':') + 1).strip();
    }
}
