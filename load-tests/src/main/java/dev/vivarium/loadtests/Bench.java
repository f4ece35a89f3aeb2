package dev.vivarium.loadtests;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** The command line's entry point. */
@Command(
        name = "vivarium bench",
        description = "Measures Vivarium beside what a user would pick instead, and puts load on its API.",
        synopsisSubcommandLabel = "BENCHMARK",
        subcommands = {
            ColdStartCommand.class,
            BurstCommand.class,
            OutputCommand.class,
            ThroughputCommand.class,
            KillPrecisionCommand.class,
            SamplingCommand.class,
            IsolationCommand.class,
            EgressCommand.class,
            NeighboursCommand.class,
            ControlPlaneCommand.class,
            SubmissionsCommand.class,
            AuditCommand.class,
            VerificationCommand.class,
            OverloadCommand.class,
            TenantsCommand.class,
            LiveRunsCommand.class,
            FailoverCommand.class,
            HistoryCommand.class,
            GatlingCommand.class
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class Bench implements Runnable {
    /** The measurement could not be made (EX_UNAVAILABLE). */
    private static final int UNAVAILABLE = 69;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** Runs one benchmark and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Bench());
        line.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionStrategy(Bench::run);
        line.setExecutionExceptionHandler((failure, failed, parsed) -> {
            if (!(failure instanceof IOException)) {
                throw failure;
            }
            line.getErr().println("vivarium bench: " + failure.getMessage());
            return UNAVAILABLE;
        });
        return line;
    }

    /** Runs the benchmark, and keeps the results of one that came to its end. */
    private static int run(ParseResult parsed) {
        int code = new CommandLine.RunLast().execute(parsed);
        Optional<CommandSpec> setting = Optional.ofNullable(parsed.subcommand())
                .map(benchmark -> benchmark.commandSpec().mixins().get("setting"));
        if (setting.isPresent() && setting.get().userObject() instanceof Setting used) {
            try {
                used.keep(code);
            } catch (IOException failed) {
                throw new ExecutionException(
                        parsed.commandSpec().commandLine(),
                        "The results cannot be kept: " + failed.getMessage(),
                        failed);
            }
        }
        return code;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
