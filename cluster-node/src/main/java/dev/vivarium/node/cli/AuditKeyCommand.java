package dev.vivarium.node.cli;

import dev.vivarium.persistence.audit.tlog.LogKey;
import dev.vivarium.persistence.audit.tlog.LogKeys;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium audit key}. */
@Command(
        name = "key",
        description = {
            "Prints the verifier keys of the log, which strangers need to verify its proofs, from the file of keys that",
            "sign it; or puts a new key first into that file."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "A new key with the log's own name replaces the old one: both sign until the old line is removed.",
            "A new key with another name declares a new log, which begins with the first event: that is how an operator",
            "goes on after the store was set back by a restored backup. Nodes read the file when they start.",
            "",
            "Examples:",
            "  vivarium audit key .vivarium/data/audit-log.key",
            "  vivarium audit key /etc/vivarium/audit-log.key --new example.org/vivarium"
        })
final class AuditKeyCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "FILE", description = "The file of keys that sign (vivarium.audit.log.key-file).")
    private Path file = Path.of("");

    @Option(names = "--new", paramLabel = "NAME", description = "Puts a new key of this name first into the file.")
    private @Nullable String name;

    AuditKeyCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        try {
            if (name != null) {
                LogKeys.add(file, name);
            } else if (!Files.exists(file)) {
                throw new UserError(ExitCode.NOT_FOUND, file + ": there is no such file; --new NAME creates it.");
            }
            LogKeys keys = LogKeys.read(file);
            keys.signers().stream().map(LogKey::verifier).forEach(surroundings.terminal()::say);
            return ExitCode.OK;
        } catch (IllegalArgumentException badName) {
            throw new UserError(ExitCode.USAGE, String.valueOf(badName.getMessage()));
        } catch (IOException failed) {
            throw new UserError(ExitCode.NOT_FOUND, String.valueOf(failed.getMessage()));
        }
    }
}
