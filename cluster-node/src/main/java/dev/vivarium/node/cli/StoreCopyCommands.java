package dev.vivarium.node.cli;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StoreCopier;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium store backup} and {@code vivarium store restore}. */
final class StoreCopyCommands {
    private StoreCopyCommands() {}

    /** Where the store is. */
    private static final class StoreOptions {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = {
                    "The configuration of the nodes that use the store (HOCON); default: the embedded store of the node in",
                    "$$VIVARIUM_HOME."
                })
        private @Nullable Path config;

        @Option(
                names = "--set",
                paramLabel = "KEY=VALUE",
                description = "A key of the configuration; may be repeated. reference.conf explains them all.")
        private Map<String, String> overrides = new LinkedHashMap<>();

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description = "The data directory of a node with an embedded store (default: $$VIVARIUM_HOME/data).")
        private @Nullable Path data;

        StoreCopier.Place place(Surroundings surroundings) {
            if (config != null && !Files.isReadable(config)) {
                throw new UserError(ExitCode.NOT_FOUND, "--config " + config + ": there is no such file.");
            }
            return new StoreCopier.Place(
                    Optional.ofNullable(config),
                    overrides,
                    Optional.ofNullable(data)
                            .orElseGet(() -> surroundings.home().resolve("data")));
        }
    }

    private static StoreCopier copier() throws NodeStartException {
        NodeLog.toStandardError();
        return ServiceLoader.load(StoreCopier.class)
                .findFirst()
                .orElseThrow(() -> new NodeStartException("This build holds no node, only the client."));
    }

    /** {@code vivarium store backup}. */
    @Command(
            name = "backup",
            description = {
                "Copies all that the store has at this moment into a new file, which its owner alone may read: journal, output,",
                "blobs, lists, the audit's order and log, tokens, quotas. Nodes may run meanwhile. Keys are not in it. For",
                "embedded stores and PostgreSQL; docs/backup.md has the way for Cassandra."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {
                "",
                "Exit codes: 0 backed up; 2 wrong usage; 66 no such file; 69 the store refuses or does not answer.",
                "",
                "Examples:",
                "  vivarium store backup /backups/2026-12-02.vivarium",
                "  vivarium store backup /backups/2026-12-02.vivarium --config cluster.conf"
            })
    static final class BackupCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "FILE", description = "The file to make; it must not exist.")
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
        private Path file;

        @Mixin
        private final StoreOptions store = new StoreOptions();

        BackupCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            surroundings.terminal().say(copier().backup(store.place(surroundings), file));
            return ExitCode.OK;
        }
    }

    /** {@code vivarium store restore}. */
    @Command(
            name = "restore",
            description = {
                "Makes a store from a backup, where there is none: an empty database, or a data directory without a store.",
                "The whole backup is restored or nothing. The installation goes on in it: no node may use the store that was",
                "backed up any more. The audit's log is not signed in it until an operator declares another one, since the old one",
                "may have gone further (docs/backup.md), unless --latest says that it has not."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {
                "",
                "Exit codes: 0 restored; 2 wrong usage; 66 no such file; 69 the file or the store is refused.",
                "",
                "Examples:",
                "  vivarium store restore /backups/2026-12-02.vivarium",
                "  vivarium store restore /backups/2026-12-02.vivarium --config cluster.conf"
            })
    static final class RestoreCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "FILE", description = "A backup.")
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
        private Path file;

        @Option(
                names = "--latest",
                description =
                        "No node has written to the store since the backup: the audit's log goes on under its name.")
        private boolean latest;

        @Mixin
        private final StoreOptions store = new StoreOptions();

        RestoreCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            if (!Files.isReadable(file)) {
                throw new UserError(ExitCode.NOT_FOUND, file + ": there is no such file.");
            }
            surroundings
                    .terminal()
                    .say(copier().restore(
                                    store.place(surroundings),
                                    file,
                                    latest ? StoreCopier.Original.STOPPED : StoreCopier.Original.WENT_ON));
            return ExitCode.OK;
        }
    }
}
