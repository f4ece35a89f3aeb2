package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.terminal.Conventions;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Version;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line's entry point: assembles the commands and turns failures into sentences and exit codes. */
@Command(
        name = "vivarium",
        description = "Runs autonomous agents, each in a fresh sandbox with hard limits.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footer = {
            "",
            "Environment:",
            "  VIVARIUM_SERVER  the node that the commands talk to (this machine's)",
            "  VIVARIUM_TOKEN   the token that the commands present (the one of this machine's operator)",
            "  VIVARIUM_HOME    where state is kept (.vivarium beside the launcher)",
            "  NO_COLOR         anything here switches colours off",
            "",
            "Exit codes (`vivarium run --help` has those of a run):",
            "  0 done                          2 wrong usage",
            "  65 refused by the node          66 no such run or file",
            "  69 no node or engine answers    70 a defect in Vivarium",
            "  74 the output is not read       75 try again later"
        })
public final class Vivarium implements Runnable {
    /** For the help of each command; a run's own are with its options. */
    private static final Map<String, Map<String, String>> CODES = Map.of(
            "renew",
                    codes(
                            "its deadline is as asked",
                            ExitCode.REFUSED,
                            ExitCode.NOT_FOUND,
                            ExitCode.UNAVAILABLE,
                            ExitCode.TRY_LATER),
            "ps", codes("done", ExitCode.REFUSED, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "show", codes("done", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "logs", codes("done, however the run ended", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "events",
                    codes("done, however the run ended", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "audit", codes("done", ExitCode.REFUSED, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "artifacts", codes("done", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "cancel",
                    codes(
                            "it is asked to stop, or had ended",
                            ExitCode.NOT_FOUND,
                            ExitCode.UNAVAILABLE,
                            ExitCode.TRY_LATER));

    private static final Set<String> ABOUT_OTHERS = Set.of("help", "completion");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    private static final String POOL_THREADS = "java.util.concurrent.ForkJoinPool.common.parallelism";
    private static final int POOL_THREADS_MIN = 2;

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        poolThreads();
        System.exit(codeOf(arguments));
    }

    /**
     * On two processors Java's common pool would have one thread. CompletableFuture does not use such a pool, and starts a
     * thread for each stage that runs by itself, of which Pekko's have several a request.
     */
    private static void poolThreads() {
        if (Runtime.getRuntime().availableProcessors() <= POOL_THREADS_MIN
                && System.getProperty(POOL_THREADS) == null) {
            System.setProperty(POOL_THREADS, Integer.toString(POOL_THREADS_MIN));
        }
    }

    /** The threads of a node that fails by an error, such as a missing library, would keep the process alive forever. */
    private static int codeOf(String... arguments) {
        Surroundings surroundings = Surroundings.ofProcess(Vivarium::startNode);
        try {
            return commandLine(surroundings, arguments).execute(arguments);
        } catch (Error defect) {
            return Conventions.explainDefect(defect, surroundings.terminal());
        }
    }

    private static RunningNode startNode(NodeOptions options) throws NodeStartException {
        Optional<NodeLauncher> launcher = ServiceLoader.load(NodeLauncher.class).findFirst();
        return launcher.orElseThrow(() -> new NodeStartException("This build holds no node, only the client."))
                .start(options);
    }

    /**
     * The command line for these arguments: with the command that they name only, since building all of them takes half the
     * time of a short command; with all where none is named, and for those that speak of the others.
     */
    static CommandLine commandLine(Surroundings surroundings, String... arguments) {
        Map<String, Supplier<CommandLine>> commands = commands(surroundings);
        String named = arguments.length == 0 ? "" : arguments[0];
        if (commands.containsKey(named) && !ABOUT_OTHERS.contains(named)) {
            commands.keySet().retainAll(Set.of(named));
        }
        CommandLine line = new CommandLine(new Vivarium());
        commands.forEach((name, command) -> line.addSubcommand(name, command.get()));
        line.getSubcommands().forEach(Vivarium::complete);
        Conventions.apply(line, surroundings.terminal(), NodeStartException.class::isInstance);
        return line;
    }

    /** All commands, in the order of the help. */
    private static Map<String, Supplier<CommandLine>> commands(Surroundings surroundings) {
        Map<String, Supplier<CommandLine>> commands = new LinkedHashMap<>();
        commands.put(
                "quickstart",
                () -> LauncherCommand.of(
                        "Starts a node, runs the agents of examples/, and shows what becomes of them."));
        commands.put(
                "abuse", () -> LauncherCommand.of("Starts a node and runs the hostile payloads of examples/abuse/."));
        commands.put("up", () -> new CommandLine(new UpCommand(surroundings)));
        commands.put("doctor", () -> new CommandLine(new DoctorCommand(surroundings)));
        commands.put("store", () -> new CommandLine(new StoreCommand())
                .addSubcommand(new StoreCommand.PrepareCommand(surroundings))
                .addSubcommand(new StoreCopyCommands.BackupCommand(surroundings))
                .addSubcommand(new StoreCopyCommands.RestoreCommand(surroundings)));
        commands.put("cluster", () -> ClusterCommand.withAll(surroundings));
        commands.put("certificates", () -> CertificatesCommand.withAll(surroundings));
        commands.put("run", () -> new CommandLine(new RunCommand(surroundings)));
        commands.put("ps", () -> new CommandLine(new PsCommand(surroundings)));
        commands.put("show", () -> new CommandLine(new ShowCommand(surroundings)));
        commands.put("logs", () -> new CommandLine(new LogsCommand(surroundings)));
        commands.put("events", () -> new CommandLine(new EventsCommand(surroundings)));
        commands.put("audit", () -> new CommandLine(new AuditCommand(surroundings))
                .addSubcommand(new AuditTimelineCommand(surroundings))
                .addSubcommand(new AuditCountsCommand(surroundings))
                .addSubcommand(new AuditExportCommand(surroundings))
                .addSubcommand(new AuditProofCommand(surroundings))
                .addSubcommand(new AuditVerifyCommand(surroundings))
                .addSubcommand(new AuditCheckCommand(surroundings))
                .addSubcommand(AuditHoldCommand.withAll(surroundings))
                .addSubcommand(new AuditKeyCommand(surroundings)));
        commands.put("artifacts", () -> new CommandLine(new ArtifactsCommand(surroundings)));
        commands.put("delete", () -> new CommandLine(new DeleteCommand(surroundings)));
        commands.put("renew", () -> new CommandLine(new RenewCommand(surroundings)));
        commands.put("cancel", () -> new CommandLine(new CancelCommand(surroundings)));
        commands.put("token", () -> TokenCommand.withAll(surroundings));
        commands.put("secret", () -> SecretCommand.withAll(surroundings));
        commands.put("tenant", () -> TenantCommand.withAll(surroundings));
        commands.put("webhooks", () -> WebhooksCommand.withAll(surroundings));
        commands.put("version", () -> new CommandLine(new VersionCommand(surroundings)));
        commands.put("completion", () -> new CommandLine(new CompletionCommand(surroundings)));
        commands.put("help", () -> new CommandLine(new CommandLine.HelpCommand()));
        commands.put(
                "setup",
                () -> LauncherCommand.of("Installs what the build and the sandboxes need, where it is missing."));
        commands.put("test", () -> LauncherCommand.of("Runs all tests; further words go to Maven."));
        commands.put("bench", () -> LauncherCommand.of("Measures this machine; `vivarium bench --help` says how."));
        return commands;
    }

    /** Common properties of all commands, besides their options. */
    private static void complete(String name, CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        if (CODES.containsKey(name)) {
            spec.usageMessage().exitCodeListHeading("%nExit codes:%n").exitCodeList(CODES.get(name));
        }
    }

    private static Map<String, String> codes(String done, int... further) {
        Map<String, String> codes = new LinkedHashMap<>();
        codes.put("0", done);
        codes.put("2", "invalid command line");
        for (int code : further) {
            codes.put(
                    Integer.toString(code),
                    switch (code) {
                        case ExitCode.REFUSED -> "the node refuses it, and would again";
                        case ExitCode.NOT_FOUND -> "there is no such run";
                        case ExitCode.UNAVAILABLE -> "no node answers";
                        case ExitCode.TRY_LATER -> "the node is full or leaving: try again later";
                        default -> throw new IllegalArgumentException("No words for " + code);
                    });
        }
        return codes;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** {@code vivarium version}. */
    @Command(name = "version", description = "Prints the version.", mixinStandardHelpOptions = true)
    static final class VersionCommand implements Runnable {
        private final Surroundings surroundings;

        @Mixin
        private final FormatOption format = new FormatOption();

        VersionCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            String java = System.getProperty("java.version", "unknown");
            if (format.isJson()) {
                ObjectNode json = ApiJson.object();
                json.put("version", Version.number());
                json.put("java", java);
                surroundings.terminal().say(ApiJson.pretty(json));
            } else {
                surroundings.terminal().say("vivarium " + Version.number() + " (Java " + java + ")");
            }
        }
    }
}
