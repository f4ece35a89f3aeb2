package dev.vivarium.node.cli;

import dev.vivarium.client.ApiException;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium audit verify}. */
@Command(
        name = "verify",
        description = {
            "Verifies a run's history: a proof in a file, or the one that the node gives for a run now. It trusts the",
            "log's key and nothing else, and names each event that was changed, removed, inserted or moved."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Without Vivarium, on any Java 17: java Verify.java PROOF KEY; `vivarium audit verify --source` prints it.",
            "",
            "Exit codes: 0 proven; 1 not proven; 2 wrong usage; 66 no such file.",
            "",
            "Examples:",
            "  vivarium audit verify ID",
            "  vivarium audit verify run.proof --key example.org/log+1a2b3c4d+AWX..."
        })
final class AuditVerifyCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "FILE|ID", arity = "0..1", description = "A proof, or a run of the node.")
    private @Nullable String subject;

    @Option(
            names = "--key",
            paramLabel = "KEY",
            description = {
                "The log's verifier key, or a file of keys (default: the key of the node in",
                "$$VIVARIUM_HOME/data)."
            })
    private @Nullable String key;

    @Option(names = "--source", description = "Prints the program that verifies proofs without Vivarium.")
    private boolean source;

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditVerifyCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        if (source) {
            surroundings.terminal().print(VerifierSource.text());
            return ExitCode.OK;
        }
        if (subject == null) {
            throw new UserError(ExitCode.USAGE, "Name a proof's file or a run's id.");
        }
        Path file = Path.of(subject);
        String proof =
                Files.exists(file) ? read(file) : server.client(surroundings).proof(ServerOption.runId(subject));
        Verify.Report report = Verify.check(proof, keys());
        surroundings.terminal().say(report.verdict() == Verify.Verdict.PROVEN ? "PROVEN" : "NOT PROVEN");
        report.sentences().forEach(line -> surroundings.terminal().say(Printable.of(line)));
        return report.verdict() == Verify.Verdict.PROVEN ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    private String keys() {
        Path own = surroundings.home().resolve("data").resolve("audit-log.key");
        if (key != null) {
            return key.contains("+") && !Files.exists(Path.of(key)) ? key : read(Path.of(key));
        }
        if (!Files.isReadable(own)) {
            throw new UserError(
                    ExitCode.USAGE,
                    "Say with --key which key the log is signed with: its operator prints it with `vivarium audit key"
                            + " FILE`.");
        }
        try {
            return LogKeys.parse(read(own)).signers().stream()
                    .map(LogKey::verifier)
                    .collect(Collectors.joining("\n"));
        } catch (IllegalArgumentException unusable) {
            throw new UserError(ExitCode.USAGE, own + ": " + unusable.getMessage());
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            throw new UserError(ExitCode.NOT_FOUND, file + " cannot be read: " + unreadable.getMessage());
        }
    }
}
