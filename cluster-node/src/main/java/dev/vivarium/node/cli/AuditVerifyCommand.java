package dev.vivarium.node.cli;

import dev.vivarium.client.ApiException;
import dev.vivarium.client.AuditExport;
import dev.vivarium.client.ExportReader;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StoreVerifier;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
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
            "Verifies a run's history, by a proof in a file or by the one that the node gives for a run now; an export",
            "in a file; or all events that the node has (--all), or those of a range; or, straight from a store and without",
            "a node (--store), a run or all events and the journal. It trusts the log's key and nothing else, and names",
            "each event that was changed, removed, inserted or moved."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Without Vivarium, on any Java 17: java Verify.java PROOF KEY; `vivarium audit verify --source` prints it.",
            "",
            "Exit codes: 0 proven; 1 not proven; 2 wrong usage; 66 no such file; 69 the store does not answer.",
            "",
            "Examples:",
            "  vivarium audit verify ID",
            "  vivarium audit verify --all",
            "  vivarium audit verify --store --config cluster.conf --key example.org/log+1a2b3c4d+AWX...",
            "  vivarium audit verify events.ndjson --key example.org/log+1a2b3c4d+AWX...",
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
                "The log's verifier key, or a file of keys, also of those that sign (default: the key of the node in",
                "$$VIVARIUM_HOME/data)."
            })
    private @Nullable String key;

    @Option(names = "--all", description = "Verifies all events that the node has.")
    private boolean all;

    @Option(names = "--from", paramLabel = "POSITION", description = "With --all: from this position on.")
    private @Nullable Long from;

    @Option(names = "--to", paramLabel = "POSITION", description = "With --all: up to this position, without it.")
    private @Nullable Long to;

    @Option(
            names = "--store",
            description = {
                "Reads the store itself, as nodes with --config and --set would open it, and writes nothing to it. An embedded",
                "store is that of $$VIVARIUM_HOME/data; its node must not run."
            })
    private boolean store;

    @Option(names = "--config", paramLabel = "FILE", description = "With --store: the configuration of nodes (HOCON).")
    private @Nullable Path config;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "With --store: a key of the configuration; may be repeated.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(names = "--source", description = "Prints the program that verifies proofs without Vivarium.")
    private boolean source;

    @Mixin
    private final ServerOption server = new ServerOption();

    AuditVerifyCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException, NodeStartException {
        if (source) {
            surroundings.terminal().print(VerifierSource.text());
            return ExitCode.OK;
        }
        if (store) {
            return say(fromStore());
        }
        if (config != null || !overrides.isEmpty()) {
            throw new UserError(ExitCode.USAGE, "--config and --set say where the store is: with --store.");
        }
        if (all == (subject != null) || (!all && (from != null || to != null))) {
            throw new UserError(
                    ExitCode.USAGE,
                    "Name a file with a proof or an export, a run's id, or --all, with --from and --to as you like.");
        }
        return say(subject == null ? everything() : of(subject));
    }

    private int say(Verify.Report report) {
        surroundings.terminal().say(report.verdict() == Verify.Verdict.PROVEN ? "PROVEN" : "NOT PROVEN");
        report.sentences().forEach(line -> surroundings.terminal().say(Printable.of(line)));
        return report.verdict() == Verify.Verdict.PROVEN ? ExitCode.OK : ExitCode.UNEXPECTED;
    }

    private Verify.Report fromStore() throws NodeStartException {
        if (from != null || to != null) {
            throw new UserError(ExitCode.USAGE, "--store verifies a run, or all events: without --from and --to.");
        }
        if (config != null && !Files.isReadable(config)) {
            throw new UserError(ExitCode.NOT_FOUND, "--config " + config + ": there is no such file.");
        }
        Optional<RunId> run = Optional.ofNullable(subject).map(id -> new RunId(ServerOption.runId(id)));
        List<Verify.Key> keys = parsedKeys();
        NodeLog.toStandardError();
        StoreVerifier verifier = ServiceLoader.load(StoreVerifier.class)
                .findFirst()
                .orElseThrow(() -> new NodeStartException("This build holds no node, only the client."));
        return verifier.verify(
                        Optional.ofNullable(config),
                        overrides,
                        surroundings.home().resolve("data"),
                        run,
                        keys)
                .orElseThrow(() -> new UserError(
                        ExitCode.NOT_FOUND,
                        "No checkpoint of the store's log was ever signed: nothing can be proven."));
    }

    private Verify.Report of(String named) throws ApiException, InterruptedIOException {
        Path file = Path.of(named);
        if (!Files.exists(file)) {
            return Verify.check(server.client(surroundings).proof(ServerOption.runId(named)), keys());
        }
        return isExport(file) ? export(file) : Verify.check(read(file), keys());
    }

    /** An export's lines are JSON, and a proof is none. */
    private static boolean isExport(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read() == '{';
        } catch (IOException unreadable) {
            throw unreadable(file, unreadable);
        }
    }

    private Verify.Report export(Path file) {
        ExportCheck check = new ExportCheck(parsedKeys());
        int threads = Runtime.getRuntime().availableProcessors();
        try (InputStream in = Files.newInputStream(file);
                ExportReader reader = new ExportReader(check, threads)) {
            reader.read(in);
        } catch (IOException unreadable) {
            throw unreadable(file, unreadable);
        }
        return check.report();
    }

    private Verify.Report everything() throws ApiException, InterruptedIOException {
        ExportCheck check = new ExportCheck(parsedKeys());
        List<Map.Entry<String, String>> query =
                to == null ? List.of() : List.of(AuditConditions.parameter("to", Long.toString(to)));
        try {
            new AuditExport(
                            server.client(surroundings),
                            query,
                            Optional.ofNullable(from),
                            (line, json) -> check.accept(ExportReader.line(line)))
                    .read();
        } catch (AuditExport.UnwelcomeLine impossible) {
            throw new IllegalStateException("A check takes every line.", impossible);
        }
        return check.report();
    }

    private List<Verify.Key> parsedKeys() {
        try {
            return Verify.Key.parse(keys());
        } catch (Verify.Refused unusable) {
            throw new UserError(ExitCode.USAGE, String.valueOf(unusable.getMessage()));
        }
    }

    private String keys() {
        Path own = surroundings.home().resolve("data").resolve("audit-log.key");
        if (key != null) {
            return key.contains("+") && !Files.exists(Path.of(key)) ? key : verifiers(Path.of(key));
        }
        if (!Files.isReadable(own)) {
            throw new UserError(
                    ExitCode.USAGE,
                    "Say with --key which key the log is signed with: its operator prints it with `vivarium audit key"
                            + " FILE`.");
        }
        return verifiers(own);
    }

    /** The keys of a file of verifier keys, or of the file that the log's own nodes sign with. */
    private static String verifiers(Path file) {
        String text = read(file);
        if (text.lines().noneMatch(line -> line.strip().startsWith("PRIVATE+KEY+"))) {
            return text;
        }
        try {
            return LogKeys.parse(text).signers().stream().map(LogKey::verifier).collect(Collectors.joining("\n"));
        } catch (IllegalArgumentException unusable) {
            throw new UserError(ExitCode.USAGE, file + ": " + unusable.getMessage());
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            throw unreadable(file, unreadable);
        }
    }

    private static UserError unreadable(Path file, IOException cause) {
        return new UserError(ExitCode.NOT_FOUND, file + " cannot be read: " + cause.getMessage());
    }
}
