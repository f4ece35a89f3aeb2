package dev.vivarium.loadtests;

import dev.vivarium.loadtests.history.Fault;
import dev.vivarium.loadtests.history.FaultPlan;
import dev.vivarium.loadtests.history.Findings;
import dev.vivarium.loadtests.history.HistoryTrial;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.protocol.run.TimeSpan;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench history}. */
@Command(
        name = "history",
        description = {
            "Injects faults into a cluster under load and checks that every promise was kept.",
            "Nodes are killed, frozen, cut off and stopped, their launchers and the store are killed, while clients submit runs and follow"
                    + " them. The clients' answers, the sandboxes as kernel or container engine know them, and the journal are"
                    + " compared with each other. Needs root."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:all promises were kept", "1:one was not", "69:the trial could not be carried out"})
final class HistoryCommand implements Callable<Integer> {
    private static final int BROKEN = 1;
    private static final int SEED_MAX = 1_000_000;
    private static final int NODES_MAX = 9;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private final DriverOption driver = new DriverOption();

    @Option(
            names = "--seed",
            paramLabel = "NUMBER",
            description = "Seed of faults and load: the same seed repeats them (default: a new one).")
    private @Nullable Long seed;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Approximate duration of the faults (default: ${DEFAULT-VALUE}).")
    private String span = "10m";

    @Option(names = "--nodes", defaultValue = "3", description = "Number of nodes (default: ${DEFAULT-VALUE}).")
    private int nodes = 3;

    @Option(
            names = "--clients",
            defaultValue = "8",
            description = "Number of clients, each with one run at a time (default: ${DEFAULT-VALUE}).")
    private int clients = 8;

    @Option(
            names = "--faults",
            split = ",",
            paramLabel = "KIND",
            description =
                    "Faults to inject, of KILL, FREEZE, CUT, STOP, STORE, LAUNCHER and ENGINE (default: all but ENGINE, which"
                            + " starts a container engine of the trial's own, and LAUNCHER only with the driver oci).")
    private Set<Fault.Kind> faults = EnumSet.noneOf(Fault.Kind.class);

    @Option(
            names = "--orphans",
            paramLabel = "TIME",
            defaultValue = "10s",
            description =
                    "How long a sandbox may outlive its owner (default: ${DEFAULT-VALUE}; the engine of a busy machine"
                            + " is slow to report an end).")
    private String orphans = "10s";

    @Override
    public Integer call() throws IOException {
        if (nodes < 1 || nodes > NODES_MAX || clients < 1) {
            throw setting.refusal("--nodes is from 1 to " + NODES_MAX + ", and --clients at least 1.");
        }
        TimeSpan time = time("--for", span);
        TimeSpan orphan = time("--orphans", orphans);
        long number = seed == null ? new SecureRandom().nextInt(SEED_MAX) : seed;
        setting.engine();
        String command = "./vivarium bench history --seed " + number + " --for " + time + " --nodes " + nodes
                + " --clients " + clients;
        Findings findings = new HistoryTrial(
                        new HistoryTrial.Setup(
                                cluster.site(setting),
                                nodes,
                                clients,
                                setting.image(),
                                orphan.duration(),
                                driver.chosen(),
                                faults.contains(Fault.Kind.ENGINE)
                                        ? HistoryTrial.Engine.OWN
                                        : HistoryTrial.Engine.SHARED),
                        setting::progress)
                .carryOut(used -> {
                    FaultPlan plan = FaultPlan.of(number, nodes, kinds(used), time.duration());
                    setting.driver(used);
                    setting.print("trial    " + command + again(used) + "\n");
                    plan.faults().forEach(fault -> setting.print("plan     " + fault + "\n"));
                    return plan;
                });
        setting.print("\n" + findings.figures());
        setting.printLoad();
        if (findings.violations().isEmpty()) {
            setting.print("All promises were kept.\n");
            return 0;
        }
        setting.print(String.format(
                Locale.ROOT,
                "%n%s%nTo repeat it: %s%n",
                findings.complaints(),
                command + again(findings.trial().driver())));
        return BROKEN;
    }

    /** The rest of the command that repeats the trial, whatever the nodes' own decision would be then. */
    private String again(Driver used) throws IOException {
        return " --driver " + used.word() + " --faults "
                + kinds(used).stream().sorted().map(Enum::name).collect(Collectors.joining(","));
    }

    private Set<Fault.Kind> kinds(Driver used) throws IOException {
        if (faults.contains(Fault.Kind.LAUNCHER) && used != Driver.OCI) {
            throw new IOException("The nodes' driver is " + used.word()
                    + ", which has no launcher to kill; choose --driver oci, or other faults.");
        }
        return faults.isEmpty() ? Fault.Kind.usual(used) : faults;
    }

    private TimeSpan time(String option, String text) {
        try {
            return TimeSpan.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw setting.refusal(option + " " + wrong.getMessage() + ".");
        }
    }
}
