package dev.vivarium.node.cli;

import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
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
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

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
            String earlier = "";
            if (Files.exists(file)) {
                earlier = Files.readString(file);
                LogKeys.parse(earlier);
            } else if (name == null) {
                throw new UserError(ExitCode.NOT_FOUND, file + ": there is no such file; --new NAME creates it.");
            }
            if (name != null) {
                earlier = LogKey.create(name).text() + "\n" + earlier;
                write(earlier);
            }
            LogKeys.parse(earlier).signers().stream().map(LogKey::verifier).forEach(surroundings.terminal()::say);
            return ExitCode.OK;
        } catch (IllegalArgumentException unusable) {
            throw new UserError(ExitCode.USAGE, file + ": " + unusable.getMessage());
        } catch (IOException failed) {
            throw new UserError(ExitCode.NOT_FOUND, file + " cannot be read or written: " + failed.getMessage());
        }
    }

    /** Readable by the owner only from its first byte on, and the old file or the new one whatever happens. */
    private void write(String keys) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(draft);
        try (FileChannel channel = FileChannel.open(
                draft, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), OWNER_ONLY)) {
            ByteBuffer bytes = ByteBuffer.wrap(keys.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
