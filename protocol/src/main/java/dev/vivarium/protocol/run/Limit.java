package dev.vivarium.protocol.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The table of limits: one constant per limit, with everything about it that is the same on every node. Operators set
 * defaults and ceilings in the configuration ({@code vivarium.limits}). Parsers, options, help and checks iterate over
 * {@link #ALL}.
 *
 * <p>To add a limit: a constant here with its {@link KillReason}, a default and a ceiling in reference.conf, its
 * entries in openapi.yaml, an upcaster for older runs, and the code that measures and enforces it.
 *
 * @param <T> the type of its amounts
 */
public final class Limit<T extends Comparable<T>> {
    /** From the start of the agent's process to the end of its last process; enforced exactly. */
    public static final Limit<TimeSpan> WALL_CLOCK = ending(
                    "wallClock", LimitKind.TIME, "1ms", KillReason.WALL_CLOCK, "From start to end, such as 5m.")
            .usedAs("wallMillis");

    /**
     * Between SIGTERM and SIGKILL when a limit of time ends the run, or it is cancelled: time to save its work. It
     * comes on top of the limit. Limits of other kinds do not wait for it.
     */
    public static final Limit<TimeSpan> GRACE = holding(
                    "grace", LimitKind.TIME, "1ms", "Between SIGTERM and SIGKILL at a time limit, such as 5s.")
            .usedAs("graceMillis");

    /** The longest time without output, input, traffic, a change of stored files, or measurable processor use. */
    public static final Limit<TimeSpan> IDLE =
            ending("idle", LimitKind.TIME, "1ms", KillReason.IDLE, "Without any sign of work, such as 60s.");

    /** The most processor time per second of the sandbox; the kernel throttles it and nothing is killed. */
    public static final Limit<CpuQuota> CPU =
            holding("cpu", LimitKind.CORES, "10m", "The share of processor time, such as 500m or 2.");

    /** Total processor time. Its default follows from {@link #WALL_CLOCK} and {@link #CPU}. */
    public static final Limit<TimeSpan> CPU_TIME = ending(
                    "cpuTime", LimitKind.TIME, "1ms", KillReason.CPU_TIME, "Total processor time, such as 2m.")
            .usedAs("cpuMillis");

    /** Memory of all processes together, files in the workspace excluded; at least the engine's minimum. */
    public static final Limit<ByteSize> MEMORY = ending(
                    "memory",
                    LimitKind.SIZE,
                    "6Mi",
                    KillReason.MEMORY,
                    "Memory of all processes together, such as 256Mi.")
            .usedAs("memoryPeakBytes");

    /** Files in /dev/shm, which are memory: at most {@link #MEMORY}, and its default too is never more. */
    public static final Limit<ByteSize> SHARED_MEMORY = ending(
                    "sharedMemory",
                    LimitKind.SIZE,
                    "4Ki",
                    KillReason.SHARED_MEMORY,
                    "What /dev/shm holds, a part of the memory, such as 128Mi.")
            .usedAs("sharedMemoryPeakBytes");

    /** Concurrent processes and threads. */
    public static final Limit<Long> PIDS = ending(
                    "pids", LimitKind.COUNT, "1", KillReason.PIDS, "Processes and threads alive at once.")
            .usedAs("pidsPeak");

    /** Bytes stored in the workspace and in /tmp together; at least a page. */
    public static final Limit<ByteSize> DISK = ending(
                    "disk", LimitKind.SIZE, "4Ki", KillReason.DISK, "The workspace and /tmp, such as 512Mi.")
            .usedAs("diskPeakBytes");

    /** Files, folders and links in the workspace and in /tmp together. */
    public static final Limit<Long> FILES = ending(
                    "files", LimitKind.COUNT, "1", KillReason.FILES, "Files and folders in the workspace and /tmp.")
            .usedAs("filesPeak");

    /**
     * File descriptors that one process may have open, including sockets and pipes; the kernel refuses further ones
     * (EMFILE) and nothing is killed. A program needs a few to start.
     */
    public static final Limit<Long> OPEN_FILES =
            holding("openFiles", LimitKind.COUNT, "16", "Files and sockets that a process may have open.");

    /** Bytes written to stdout and stderr together, by all attempts of a run. */
    public static final Limit<ByteSize> OUTPUT = ending(
                    "output", LimitKind.SIZE, "1", KillReason.OUTPUT, "Stdout and stderr together, such as 10Mi.")
            .option("--output-limit")
            .usedAs("outputBytes");

    /** Bytes of the files that are kept when a run ends; files beyond it are left out, and nothing is killed. */
    public static final Limit<ByteSize> ARTIFACTS = holding(
                    "artifacts", LimitKind.SIZE, "1", "Files kept at the end together, such as 64Mi.")
            .option("--artifacts-limit");

    /** Connections opened to the outside; the kernel and the gateway let no more out. */
    public static final Limit<Long> EGRESS_REQUESTS = ending(
            "egressRequests", LimitKind.COUNT, "1", KillReason.EGRESS_REQUESTS, "Connections opened to the outside.");

    /** Bytes over the sandbox's link in both directions, including headers and refused packets. */
    public static final Limit<ByteSize> EGRESS_BYTES = ending(
            "egressBytes",
            LimitKind.SIZE,
            "1",
            KillReason.EGRESS_BYTES,
            "Bytes sent and received over the network, such as 1Gi.");

    /** All limits, in display order. */
    public static final List<Limit<?>> ALL = List.of(
            WALL_CLOCK,
            GRACE,
            IDLE,
            CPU,
            CPU_TIME,
            MEMORY,
            SHARED_MEMORY,
            PIDS,
            DISK,
            FILES,
            OPEN_FILES,
            OUTPUT,
            ARTIFACTS,
            EGRESS_REQUESTS,
            EGRESS_BYTES);

    private static final Map<String, Limit<?>> BY_NAME = byName();

    private final String name;
    private final LimitKind<T> kind;
    private final T smallest;
    private final Optional<KillReason> reason;
    private final String option;
    private final String help;
    private final Optional<String> usage;

    private Limit(
            String name,
            LimitKind<T> kind,
            T smallest,
            Optional<KillReason> reason,
            String option,
            String help,
            Optional<String> usage) {
        this.name = name;
        this.kind = kind;
        this.smallest = smallest;
        this.reason = reason;
        this.option = option;
        this.help = help;
        this.usage = usage;
    }

    /** A limit that ends the runs that reach it, with the option that its name gives. */
    private static <T extends Comparable<T>> Limit<T> ending(
            String name, LimitKind<T> kind, String smallest, KillReason reason, String help) {
        return row(name, kind, smallest, Optional.of(reason), help);
    }

    /** A limit that the kernel enforces by throttling or refusing, and that ends nothing. */
    private static <T extends Comparable<T>> Limit<T> holding(
            String name, LimitKind<T> kind, String smallest, String help) {
        return row(name, kind, smallest, Optional.empty(), help);
    }

    private static <T extends Comparable<T>> Limit<T> row(
            String name, LimitKind<T> kind, String smallest, Optional<KillReason> reason, String help) {
        return new Limit<>(name, kind, kind.parse(smallest), reason, optionOf(name), help, Optional.empty());
    }

    /** This limit with an option of another name. */
    private Limit<T> option(String other) {
        return new Limit<>(name, kind, smallest, reason, other, help, usage);
    }

    /** This limit, with the name under which an attempt's usage of it is reported. */
    private Limit<T> usedAs(String usageName) {
        return new Limit<>(name, kind, smallest, reason, option, help, Optional.of(usageName));
    }

    /** {@code --wall-clock} for {@code wallClock}. */
    private static String optionOf(String name) {
        StringBuilder option = new StringBuilder("--");
        name.chars().forEach(letter -> {
            if (Character.isUpperCase(letter)) {
                option.append('-');
            }
            option.append((char) Character.toLowerCase(letter));
        });
        return option.toString();
    }

    private static Map<String, Limit<?>> byName() {
        Map<String, Limit<?>> all = new LinkedHashMap<>();
        ALL.forEach(limit -> all.put(limit.name, limit));
        return all;
    }

    /** All names, as the API and the configuration write them. */
    public static Set<String> names() {
        return Set.copyOf(BY_NAME.keySet());
    }

    /** The limit of that name, if there is one. */
    public static Optional<Limit<?>> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** The name in the API, the journal and the configuration. */
    public String name() {
        return name;
    }

    /** What the limit counts. */
    public LimitKind<T> kind() {
        return kind;
    }

    /** The smallest amount that an engine and a kernel can enforce; anything below is a mistake. */
    public T smallest() {
        return smallest;
    }

    /** Why a run that reaches it is ended; empty for a limit that throttles instead. */
    public Optional<KillReason> reason() {
        return reason;
    }

    /** The command line's option. */
    public String option() {
        return option;
    }

    /** The help text of the option. */
    public String help() {
        return help;
    }

    /** The name under which the API and the journal report the used amount; empty if they do not. */
    public Optional<String> usage() {
        return usage;
    }

    /** What was measured against the limit of a run. */
    public Measurement measurement(long measured, Limits limits) {
        return new Measurement(measured, amountIn(limits), kind.unit());
    }

    /** The run's limit as a number of the kind's unit. */
    public long amountIn(Limits limits) {
        return kind.amount(limits.get(this));
    }

    @Override
    public String toString() {
        return name;
    }
}
