package dev.vivarium.node.cli;

import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * A command that the launcher carries out or passes to another program, not to the node: listed here for help, completion
 * and corrections of typos.
 */
@Command
final class LauncherCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    private LauncherCommand() {}

    static CommandLine of(String description) {
        CommandLine command = new CommandLine(new LauncherCommand());
        command.getCommandSpec().usageMessage().description(description);
        // All arguments that follow are the launcher's.
        command.setUnmatchedArgumentsAllowed(true);
        return command;
    }

    @Override
    public Integer call() {
        throw new UserError(
                ExitCode.USAGE, "`" + spec.qualifiedName() + "` is a command of the launcher, the script ./vivarium.");
    }
}
