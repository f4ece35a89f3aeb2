package dev.vivarium.terminal;

import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiException.Refused;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.protocol.api.Problem;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The behaviour of every command line: its output, width and colours, and its messages about failures. */
public final class Conventions {
    private static final int HELP_COLUMNS_MIN = 80;
    private static final int HELP_COLUMNS_MAX = 120;

    private Conventions() {}

    /**
     * Applies them to a command line and its current subcommands.
     *
     * @param unavailable matches the failures, besides {@link ApiException}, whose message is a sentence for the user, and that
     *     end the command with {@link ExitCode#UNAVAILABLE}
     */
    public static void apply(CommandLine line, Terminal terminal, Predicate<Exception> unavailable) {
        line.getSubcommands().values().forEach(command -> command.getCommandSpec()
                .versionProvider(new Version()));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setOut(writer(terminal.out()));
        line.setErr(writer(terminal.err()));
        line.setColorScheme(
                CommandLine.Help.defaultColorScheme(terminal.colours() == Table.Colours.ON ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(Math.max(HELP_COLUMNS_MIN, Math.min(terminal.columns(), HELP_COLUMNS_MAX)));
        line.setParameterExceptionHandler((problem, ignored) -> {
            Misunderstanding.sentences(problem).forEach(sentence -> terminal.note(Printable.of(sentence)));
            terminal.note("see `" + problem.getCommandLine().getCommandSpec().qualifiedName() + " --help`.");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((failure, ignored, parsed) -> explain(failure, terminal, unavailable));
    }

    /** Reports a failure, and returns the exit code. */
    private static int explain(Exception failure, Terminal terminal, Predicate<Exception> unavailable) {
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
        if (failure instanceof ApiException || unavailable.test(failure)) {
            terminal.note(Printable.of(String.valueOf(failure.getMessage())));
            return ExitCode.UNAVAILABLE;
        }
        return explainDefect(failure, terminal);
    }

    /** Reports an internal error with its stack trace, and returns the exit code. */
    public static int explainDefect(Throwable failure, Terminal terminal) {
        terminal.note("this is a defect in Vivarium: " + Printable.of(failure.toString()));
        PrintWriter trace = writer(terminal.err());
        failure.printStackTrace(trace);
        trace.flush();
        return ExitCode.DEFECT;
    }

    /** A reader that closes early, such as head(1), is not reported; a full disk is. */
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

    private static PrintWriter writer(OutputStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }
}
