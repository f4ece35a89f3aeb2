package dev.vivarium.protocol.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The table of limits: one constant for each, with everything about it that is the same on every node. Defaults and
 * ceilings are the operator's, in the configuration ({@code vivarium.limits}). Readers, options, help and checks walk
 * over {@link #ALL}.
 *
 * <p>To add a limit: a constant here with its {@link KillReason}, a default and a ceiling in reference.conf, its entries
 * in openapi.yaml, an upcaster for the runs of before, and what enforces and measures it.
 *
 * @param <T> the type of its amounts
 */
public final class Limit<T extends Comparable<T>> {
    /** From the start of the agent's process to the end of its last one; ends the run on the dot. */
    public static final Limit<TimeSpan> WALL_CLOCK =
            row("wallClock", LimitKind.TIME, "1ms", KillReason.WALL_CLOCK, "From start to end, such as 5m.");

    /** The longest time without output, input or measurable processor use. */
    public static final Limit<TimeSpan> IDLE =
            row("idle", LimitKind.TIME, "1ms", KillReason.IDLE, "Without output and work, such as 60s.");

    /** The share of processor time that the sandbox gets at most; the kernel throttles above it and nothing is killed. */
    public static final Limit<CpuQuota> CPU = new Limit<>(
            "cpu",
            LimitKind.CORES,
            "10m",
            Optional.empty(),
            "--cpu",
            "The share of processor time, such as 500m or 2.");

    /** Processor time used in all. Where a run names none, it follows from {@link #WALL_CLOCK} and {@link #CPU}. */
    public static final Limit<TimeSpan> CPU_TIME =
            row("cpuTime", LimitKind.TIME, "1ms", KillReason.CPU_TIME, "Processor time in all, such as 2m.");

    /** Memory of all processes together, files in the workspace not counted; at least the engine's own minimum. */
    public static final Limit<ByteSize> MEMORY =
            row("memory", LimitKind.SIZE, "6Mi", KillReason.MEMORY, "All processes together, such as 256Mi.");

    /** Processes and threads alive at once. */
    public static final Limit<Long> PIDS =
            row("pids", LimitKind.COUNT, "1", KillReason.PIDS, "Processes and threads alive at once.");

    /** What may be stored in the workspace and in /tmp together; at least a page. */
    public static final Limit<ByteSize> DISK =
            row("disk", LimitKind.SIZE, "4Ki", KillReason.DISK, "The workspace and /tmp, such as 512Mi.");

    /** Files, folders and links in the workspace and in /tmp together. */
    public static final Limit<Long> FILES =
            row("files", LimitKind.COUNT, "1", KillReason.FILES, "Files and folders in the workspace and /tmp.");

    /** Bytes written to stdout and stderr together. */
    public static final Limit<ByteSize> OUTPUT = new Limit<>(
            "output",
            LimitKind.SIZE,
            "1",
            Optional.of(KillReason.OUTPUT),
            "--output-limit",
            "Stdout and stderr together, such as 10Mi.");

    /** Connections opened to the outside; the kernel and the gateway let no further one out. */
    public static final Limit<Long> EGRESS_REQUESTS = row(
            "egressRequests", LimitKind.COUNT, "1", KillReason.EGRESS_REQUESTS, "Connections opened to the outside.");

    /** Bytes over the sandbox's link, in both directions together, with all headers and what was refused. */
    public static final Limit<ByteSize> EGRESS_BYTES = row(
            "egressBytes",
            LimitKind.SIZE,
            "1",
            KillReason.EGRESS_BYTES,
            "Bytes sent and received over the network, such as 1Gi.");

    /** All of them, in the order in which they are shown. */
    public static final List<Limit<?>> ALL =
            List.of(WALL_CLOCK, IDLE, CPU, CPU_TIME, MEMORY, PIDS, DISK, FILES, OUTPUT, EGRESS_REQUESTS, EGRESS_BYTES);

    private static final Map<String, Limit<?>> BY_NAME = byName();

    private final String name;
    private final LimitKind<T> kind;
    private final T smallest;
    private final Optional<KillReason> reason;
    private final String option;
    private final String help;

    private Limit(
            String name, LimitKind<T> kind, String smallest, Optional<KillReason> reason, String option, String help) {
        this.name = name;
        this.kind = kind;
        this.smallest = kind.parse(smallest);
        this.reason = reason;
        this.option = option;
        this.help = help;
    }

    /** A limit that ends runs, with the option that its name gives. */
    private static <T extends Comparable<T>> Limit<T> row(
            String name, LimitKind<T> kind, String smallest, KillReason reason, String help) {
        return new Limit<>(name, kind, smallest, Optional.of(reason), optionOf(name), help);
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

    /** The names of all, as the API and the configuration write them. */
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

    /** What it is an amount of. */
    public LimitKind<T> kind() {
        return kind;
    }

    /** The smallest amount that an engine and a kernel can hold; anything below is a mistake. */
    public T smallest() {
        return smallest;
    }

    /** Why a run that reaches it is ended; empty for a limit that slows down and ends nothing. */
    public Optional<KillReason> reason() {
        return reason;
    }

    /** The option of the command line. */
    public String option() {
        return option;
    }

    /** What the help of the command line says about it. */
    public String help() {
        return help;
    }

    /** What was measured against the limit of a run. */
    public Measurement measurement(long measured, Limits limits) {
        return new Measurement(measured, amountIn(limits), kind.unit());
    }

    /** The limit of a run, as a number of the kind's unit. */
    public long amountIn(Limits limits) {
        return kind.amount(limits.get(this));
    }

    @Override
    public String toString() {
        return name;
    }
}
