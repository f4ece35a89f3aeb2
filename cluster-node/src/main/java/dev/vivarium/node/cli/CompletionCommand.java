package dev.vivarium.node.cli;

import dev.vivarium.terminal.ExitCode;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code vivarium completion}. */
@Command(
        name = "completion",
        description = {
            "Prints a completion script for bash and zsh, for a launcher on the PATH or called as ./vivarium.",
            "Use it with: source <(./vivarium completion)"
        },
        mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    CompletionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        surroundings.terminal().print(AutoComplete.bash("vivarium", spec.root().commandLine()));
        return ExitCode.OK;
    }
}
