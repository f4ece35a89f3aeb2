package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiException.Refused;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.node.NodeLauncher;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.RunningNode;
import dev.vivarium.node.cli.text.Printable;
import dev.vivarium.node.cli.text.Table;
import dev.vivarium.protocol.api.Problem;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line's entry point: puts the commands together and turns what goes wrong into sentences and codes. */
@Command(
        name = "vivarium",
        description = "Runs autonomous agents, each in a fresh sandbox with hard limits.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Vivarium.Version.class,
        sortOptions = false,
        footer = {
            "",
            "Also: `vivarium setup` prepares this machine, `vivarium test` runs all tests (see the launcher).",
            "",
            "Environment:",
            "  VIVARIUM_SERVER  the node that the commands talk to (http://127.0.0.1:8080)",
            "  VIVARIUM_HOME    where state is kept (.vivarium beside the launcher)",
            "  NO_COLOR         anything here switches colours off",
            "",
            "Exit codes (`vivarium run --help` has those of a run):",
            "  0 done                          2 wrong usage",
            "  65 refused by the node          66 no such run or file",
            "  69 no node or engine answers    70 a defect in Vivarium",
            "  74 nobody reads the output      75 try again later"
        })
public final class Vivarium implements Runnable {
    /** For the help of each command; a run's own are with its options. */
    private static final Map<String, Map<String, String>> CODES = Map.of(
            "ps", codes("done", ExitCode.REFUSED, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "show", codes("done", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "logs", codes("done, however the run ended", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "events",
                    codes("done, however the run ended", ExitCode.NOT_FOUND, ExitCode.UNAVAILABLE, ExitCode.TRY_LATER),
            "cancel",
                    codes(
                            "it is asked to stop, or had ended",
                            ExitCode.NOT_FOUND,
                            ExitCode.UNAVAILABLE,
                            ExitCode.TRY_LATER));

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(codeOf(arguments));
    }

    /** The threads of a node that fails by an error, such as a library that is missing, would keep the process for ever. */
    private static int codeOf(String... arguments) {
        Surroundings surroundings = Surroundings.ofProcess(Vivarium::startNode);
        try {
            return commandLine(surroundings).execute(arguments);
        } catch (Error defect) {
            return explainDefect(defect, surroundings.terminal());
        }
    }

    private static RunningNode startNode(NodeOptions options) throws NodeStartException {
        Optional<NodeLauncher> launcher = ServiceLoader.load(NodeLauncher.class).findFirst();
        return launcher.orElseThrow(() -> new NodeStartException("This build holds no node, only the client."))
                .start(options);
    }

    static CommandLine commandLine(Surroundings surroundings) {
        CommandLine line = new CommandLine(new Vivarium())
                .addSubcommand(new QuickstartCommand(surroundings))
                .addSubcommand(new AbuseCommand(surroundings))
                .addSubcommand(new UpCommand(surroundings))
                .addSubcommand(new CommandLine(new StoreCommand())
                        .addSubcommand(new StoreCommand.PrepareCommand(surroundings)))
                .addSubcommand(ClusterCommand.withAll(surroundings))
                .addSubcommand(new RunCommand(surroundings))
                .addSubcommand(new PsCommand(surroundings))
                .addSubcommand(new ShowCommand(surroundings))
                .addSubcommand(new LogsCommand(surroundings))
                .addSubcommand(new EventsCommand(surroundings))
                .addSubcommand(new CancelCommand(surroundings))
                .addSubcommand(new VersionCommand(surroundings))
                .addSubcommand(new CompletionCommand(surroundings))
                .addSubcommand(new CommandLine.HelpCommand());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.getSubcommands().forEach(Vivarium::complete);
        Terminal terminal = surroundings.terminal();
        line.setOut(writer(terminal.out()));
        line.setErr(writer(terminal.err()));
        line.setColorScheme(
                CommandLine.Help.defaultColorScheme(terminal.colours() == Table.Colours.ON ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(Math.max(80, Math.min(terminal.columns(), 120)));
        line.setParameterExceptionHandler((problem, ignored) -> {
            Misunderstanding.sentences(problem).forEach(sentence -> terminal.note(Printable.of(sentence)));
            terminal.note("see `" + problem.getCommandLine().getCommandSpec().qualifiedName() + " --help`.");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((failure, ignored, parsed) -> explain(failure, terminal));
        return line;
    }

    /** What all commands have in common, beside their options. */
    private static void complete(String name, CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        spec.versionProvider(new Version());
        if (CODES.containsKey(name)) {
            spec.usageMessage().exitCodeListHeading("%nExit codes:%n").exitCodeList(CODES.get(name));
        }
    }

    private static Map<String, String> codes(String done, int... further) {
        Map<String, String> codes = new LinkedHashMap<>();
        codes.put("0", done);
        codes.put("2", "the command line makes no sense");
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

    private static PrintWriter writer(OutputStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Says what went wrong, and gives the code to exit with. */
    private static int explain(Exception failure, Terminal terminal) {
        if (failure instanceof Terminal.OutputClosed || failure instanceof OutputFollower.SinkClosed) {
            return unwritten(failure.getCause(), terminal);
        }
        if (failure instanceof UserError error) {
            terminal.note(Printable.of(String.valueOf(error.getMessage())));
            return error.exitCode();
        }
        if (failure instanceof Refused refused) {
            return explain(refused, terminal);
        }
        if (failure instanceof ApiException || failure instanceof NodeStartException) {
            terminal.note(Printable.of(String.valueOf(failure.getMessage())));
            return ExitCode.UNAVAILABLE;
        }
        return explainDefect(failure, terminal);
    }

    private static int explainDefect(Throwable failure, Terminal terminal) {
        terminal.note("this is a defect in Vivarium: " + Printable.of(failure.toString()));
        PrintWriter trace = writer(terminal.err());
        failure.printStackTrace(trace);
        trace.flush();
        return ExitCode.DEFECT;
    }

    /** A reader that has seen enough, such as head(1), is nothing to talk about; a full disk is. */
    private static int unwritten(@Nullable Throwable cause, Terminal terminal) {
        String reason = String.valueOf(cause == null ? null : cause.getMessage());
        if (!reason.contains("Broken pipe")) {
            terminal.note("the output cannot be written: " + reason + ".");
        }
        return ExitCode.OUTPUT_CLOSED;
    }

    private static int explain(Refused refused, Terminal terminal) {
        Problem problem = refused.problem();
        terminal.note(Printable.of(String.valueOf(refused.getMessage())));
        for (Problem.FieldError error : problem.errors()) {
            terminal.note("  " + Printable.of(error.field()) + ": " + Printable.of(error.message()));
        }
        return switch (problem.status()) {
            case 404, 410 -> ExitCode.NOT_FOUND;
            case 429, 502, 503, 504 -> ExitCode.TRY_LATER;
            default -> ExitCode.REFUSED;
        };
    }

    /** Says which version this is. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"vivarium " + number()};
        }

        static String number() {
            return Optional.ofNullable(Vivarium.class.getPackage().getImplementationVersion())
                    .orElse("development build");
        }
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
