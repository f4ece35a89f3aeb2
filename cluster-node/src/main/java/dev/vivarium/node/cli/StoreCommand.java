package dev.vivarium.node.cli;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StorePreparer;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code vivarium store}. */
@Command(
        name = "store",
        description = "Looks after a store: makes the tables of one that several nodes share, backs up, restores.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class StoreCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** {@code vivarium store prepare}. */
    @Command(
            name = "prepare",
            description = {
                "Makes or updates the tables of the store that the configuration names, and the folder of keys, and makes the"
                        + " key of the audit's log where the configuration names one that is not there.",
                "Nodes never do that by themselves: they refuse a store that is not prepared. Safe to repeat; changes"
                        + " nothing when all is there."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {
                "",
                "Exit codes: 0 prepared; 2 wrong usage; 66 no such file; 69 the store refuses or does not answer.",
                "",
                "Example:",
                "  vivarium store prepare --config cluster.conf"
            })
    static final class PrepareCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(names = "--config", paramLabel = "FILE", description = "The configuration file of the nodes (HOCON).")
        private @Nullable Path config;

        @Option(
                names = "--set",
                paramLabel = "KEY=VALUE",
                description = "A key of the configuration; may be repeated. reference.conf explains them all.")
        private Map<String, String> overrides = new LinkedHashMap<>();

        PrepareCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            if (config != null && !Files.isReadable(config)) {
                throw new UserError(ExitCode.NOT_FOUND, "--config " + config + ": there is no such file.");
            }
            NodeLog.toStandardError();
            StorePreparer preparer = ServiceLoader.load(StorePreparer.class)
                    .findFirst()
                    .orElseThrow(() -> new NodeStartException("This build holds no node, only the client."));
            surroundings.terminal().say(preparer.prepare(Optional.ofNullable(config), overrides));
            return ExitCode.OK;
        }
    }
}
