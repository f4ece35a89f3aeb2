package dev.vivarium.trials;

import dev.vivarium.terminal.Conventions;
import dev.vivarium.terminal.Version;
import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The entry point of the launcher's commands that try agents on a node: {@code quickstart} and {@code abuse}. */
@Command(
        name = "vivarium",
        description = "Tries agents on a node, and compares each result with the expected one.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false)
public final class Trials implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    private Trials() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(commandLine(Surroundings.ofProcess()).execute(arguments));
    }

    /** The command line, with all its commands. */
    public static CommandLine commandLine(Surroundings surroundings) {
        CommandLine line = new CommandLine(new Trials())
                .addSubcommand(new QuickstartCommand(surroundings))
                .addSubcommand(new AbuseCommand(surroundings));
        Conventions.apply(line, surroundings.terminal(), IOException.class::isInstance);
        return line;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
