package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.Submission;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.LimitKind;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The options that specify a run. The node fills in omitted ones. */
final class SubmissionOptions {
    /** The largest file whose content is the value of a secret. */
    private static final long SECRET_BYTES_MAX = 64L << 20;
    /** Larger contents are uploaded separately, before the submission that refers to them. */
    private static final long INLINE_BYTES_MAX = 1L << 20;

    /** A part of an injected header; a prefix may contain commas, as headers do, so it extends to the option's end. */
    private static final Pattern PART =
            Pattern.compile("(host|header|secret|prefix)=((?<=prefix=).*|[^,]*)(?:,(?=.)|$)");

    @Parameters(paramLabel = "COMMAND", arity = "1..*", description = "The program and its arguments, after --.")
    private List<String> command = new ArrayList<>();

    @Option(
            names = "--image",
            paramLabel = "IMAGE",
            defaultValue = "vivarium/python",
            description = "The sandbox's image (default: ${DEFAULT-VALUE}).")
    private String image = "vivarium/python";

    private final Map<Limit<?>, String> limits = new LinkedHashMap<>();

    @Mixin
    @SuppressWarnings("UnusedVariable") // picocli reads it.
    private final CommandSpec limitOptions = limitOptions();

    @Option(
            names = "--egress",
            paramLabel = "MODE",
            description = "What it may reach: none, allowlist or public. A node says which it has.")
    private @Nullable String egress;

    @Option(
            names = "--allow",
            paramLabel = "HOST[:PORTS]",
            description = "A destination of --egress allowlist, such as api.example.com or *.example.com:443,8443.")
    private List<String> allow = new ArrayList<>();

    @Option(
            names = "--inject",
            paramLabel = "K=V,...",
            description =
                    "A header with a secret that the node adds to requests to a listed host, so that the agent uses"
                            + " the secret and never sees it: host=api.example.com,header=Authorization,secret=API_KEY"
                            + " and, last if it is there, prefix=\"Bearer \". The agent asks http://api.example.com/, the"
                            + " node goes on by TLS. May be repeated.")
    private List<String> inject = new ArrayList<>();

    @Option(
            names = "--isolation",
            paramLabel = "CLASS",
            description = "How it is walled in: container, gvisor or microvm. A node says which it has.")
    private @Nullable String isolation;

    @Option(
            names = "--on-node-loss",
            paramLabel = "POLICY",
            description = "When its node is lost: restart (a new attempt) or fail.")
    private @Nullable String onNodeLoss;

    @Option(
            names = "--warn",
            paramLabel = "TIME[:SIGNAL]",
            description =
                    "Warn the command so long before its deadline, to save its work: with SIGUSR1, or SIGHUP, SIGINT,"
                            + " SIGUSR2, SIGTERM, SIGURG or SIGWINCH. One that it does not handle may end it.")
    private @Nullable String warn;

    @Option(
            names = "--webhook",
            paramLabel = "URL",
            description = "Called when it starts, is near its deadline, and has ended; `vivarium webhooks` says more.")
    private @Nullable String webhook;

    @Option(
            names = "--webhook-event",
            paramLabel = "EVENT",
            description = "Call it for started, warning or ended only; may be repeated.")
    private List<String> webhookEvents = new ArrayList<>();

    @Option(names = "--max-attempts", paramLabel = "COUNT", description = "Attempts in all.")
    private @Nullable Integer maxAttempts;

    @Option(
            names = {"-e", "--env"},
            paramLabel = "K=V",
            description = "An environment variable; K alone passes yours on. May be repeated, like all that follow.")
    private List<String> env = new ArrayList<>();

    @Option(
            names = "--secret",
            paramLabel = "K",
            description =
                    "A secret environment variable, with the value that K has here; on a terminal you are asked for it"
                            + " when there is none. K=@FILE takes a file's content. Never a value itself: command lines"
                            + " are no secret.")
    private List<String> secrets = new ArrayList<>();

    @Option(
            names = "--named-secret",
            paramLabel = "K=NAME",
            description =
                    "A secret that the tenant keeps (`vivarium secret put NAME`), as environment variable K, with the value"
                            + " that it has when the run starts. --inject can name K too.")
    private List<String> namedSecrets = new ArrayList<>();

    @Option(
            names = {"-l", "--label"},
            paramLabel = "K=V",
            description = "A mark to find the run by; tenant=NAME says whose it is.")
    private List<String> labels = new ArrayList<>();

    @Option(
            names = {"-F", "--file"},
            paramLabel = "PATH[=DEST]",
            description = "A file or folder to put into the workspace, under its own name or as DEST; a folder with all"
                    + " that is in it, and as the workspace itself with =. at its end.")
    private List<String> files = new ArrayList<>();

    @Option(
            names = {"-A", "--artifact"},
            paramLabel = "PATTERN",
            description = "A file, folder or pattern in the workspace to keep when the run ends, such as 'out/*.csv' or"
                    + " 'logs/**'; `vivarium artifacts` fetches what was kept.")
    private List<String> artifacts = new ArrayList<>();

    @Option(
            names = {"-w", "--workdir"},
            paramLabel = "DIR",
            description = "Where the command starts.")
    private @Nullable String workdir;

    /**
     * A submission with its uploads.
     *
     * @param body the submission
     * @param uploads contents that it refers to, which must be uploaded before
     * @param tenant the tenant of the contents; empty for that of the credentials
     */
    record Prepared(ObjectNode body, Map<Digest, Path> uploads, Optional<String> tenant) {}

    /** The submission, and what must be uploaded before it. */
    Prepared prepare(Map<String, String> environment, SecretPrompt prompt) {
        Submission submission = new Submission(image, command);
        limits.forEach((limit, amount) -> addLimit(submission, limit, amount));
        if (egress != null || !allow.isEmpty() || !inject.isEmpty()) {
            submission.egress(egress == null ? "allowlist" : egress, allow);
        }
        inject.forEach(header -> addInjection(submission, header));
        field(submission, "isolation", isolation);
        field(submission, "onNodeLoss", onNodeLoss);
        field(submission, "workdir", workdir);
        if (warn != null) {
            addWarning(submission, warn);
        }
        if (webhook != null) {
            submission.webhook(webhook, webhookEvents);
        } else if (!webhookEvents.isEmpty()) {
            throw new UserError(ExitCode.USAGE, "--webhook-event: say where to with --webhook URL.");
        }
        if (maxAttempts != null) {
            submission.maxAttempts(maxAttempts);
        }
        env.forEach(variable -> addVariable(submission, variable, environment));
        secrets.forEach(secret -> addSecret(submission, secret, environment, prompt));
        namedSecrets.forEach(secret -> addNamedSecret(submission, secret));
        labels.forEach(label -> addLabel(submission, label));
        artifacts.forEach(submission::artifact);
        Map<Digest, Path> uploads = new LinkedHashMap<>();
        files.forEach(file -> addFile(submission, file, uploads));
        ObjectNode body = submission.body();
        JsonNode tenant = body.path("labels").path(RunSpec.TENANT_LABEL);
        return new Prepared(body, uploads, tenant.isTextual() ? Optional.of(tenant.asText()) : Optional.empty());
    }

    /** An option for each limit of the table. */
    private CommandSpec limitOptions() {
        CommandSpec options = CommandSpec.create();
        for (Limit<?> limit : Limit.ALL) {
            options.addOption(OptionSpec.builder(limit.option())
                    .paramLabel(limit.kind().label())
                    .type(String.class)
                    .description(limit.help())
                    .setter(new LimitSetter(limit))
                    .build());
        }
        return options;
    }

    private final class LimitSetter implements ISetter {
        private final Limit<?> limit;

        LimitSetter(Limit<?> limit) {
            this.limit = limit;
        }

        @Override
        @SuppressWarnings({"unchecked", "NullAway"
        }) // The interface's shape: it gives back what was there, if anything.
        public <T> T set(@Nullable T amount) {
            // Before it reads a command line, picocli sets each option to null.
            String before = amount == null ? limits.remove(limit) : limits.put(limit, amount.toString());
            return (T) before;
        }
    }

    private void addLimit(Submission submission, Limit<?> limit, String amount) {
        if (limit.kind().form() != LimitKind.Form.WHOLE_NUMBER) {
            submission.limit(limit.name(), amount);
            return;
        }
        try {
            submission.limit(limit.name(), LimitKind.COUNT.parse(amount));
        } catch (IllegalArgumentException notWhole) {
            throw new UserError(ExitCode.USAGE, limit.option() + " " + amount + ": " + notWhole.getMessage() + ".");
        }
    }

    private static void field(Submission submission, String name, @Nullable String value) {
        if (value != null) {
            submission.with(name, value);
        }
    }

    private static void addWarning(Submission submission, String warning) {
        int colon = warning.indexOf(':');
        if (colon < 0) {
            submission.warning(warning);
        } else {
            submission.warning(warning.substring(0, colon), warning.substring(colon + 1));
        }
    }

    private static void addVariable(Submission submission, String variable, Map<String, String> environment) {
        int equals = variable.indexOf('=');
        if (equals == 0 || variable.isEmpty()) {
            throw new UserError(ExitCode.USAGE, "--env " + variable + ": a variable needs a name.");
        }
        if (equals > 0) {
            submission.env(variable.substring(0, equals), variable.substring(equals + 1));
            return;
        }
        String value = environment.get(variable);
        if (value == null) {
            throw new UserError(
                    ExitCode.USAGE, "--env " + variable + ": you have no such variable; give it a value with K=V.");
        }
        submission.env(variable, value);
    }

    private static void addInjection(Submission submission, String option) {
        Map<String, String> parts = new TreeMap<>();
        Matcher part = PART.matcher(option);
        int end = 0;
        while (part.find() && part.start() == end && parts.put(part.group(1), part.group(2)) == null) {
            end = part.end();
        }
        if (option.isEmpty() || end < option.length()) {
            throw new UserError(
                    ExitCode.USAGE,
                    "--inject " + option
                            + ": say host=HOST,header=HEADER,secret=NAME and, last if it is there, prefix=TEXT, each"
                            + " once.");
        }
        submission.inject(parts);
    }

    private static void addSecret(
            Submission submission, String secret, Map<String, String> environment, SecretPrompt prompt) {
        int equals = secret.indexOf('=');
        String name = equals < 0 ? secret : secret.substring(0, equals);
        if (name.isEmpty()) {
            throw new UserError(ExitCode.USAGE, "--secret: a secret needs a name.");
        }
        if (equals >= 0 && !secret.startsWith("@", equals + 1)) {
            // The value is not repeated, since the output may be logged.
            throw new UserError(
                    ExitCode.USAGE,
                    "--secret " + name + ": a value on the command line is no secret, every user of this machine can"
                            + " read it. Put it into the variable " + name + " and say --secret " + name
                            + ", or into a file and say --secret " + name + "=@FILE.");
        }
        submission.secret(
                name, equals < 0 ? fromHere(name, environment, prompt) : fromFile(name, secret.substring(equals + 2)));
    }

    private static void addNamedSecret(Submission submission, String secret) {
        int equals = secret.indexOf('=');
        if (equals < 1 || !SecretName.isValid(secret.substring(equals + 1))) {
            throw new UserError(
                    ExitCode.USAGE,
                    "--named-secret takes VARIABLE=NAME, and the name of a secret " + SecretName.RULE + ".");
        }
        submission.namedSecret(secret.substring(0, equals), secret.substring(equals + 1));
    }

    private static String fromHere(String name, Map<String, String> environment, SecretPrompt prompt) {
        String value = environment.get(name);
        return value != null
                ? value
                : prompt.ask(name)
                        .orElseThrow(() -> new UserError(
                                ExitCode.USAGE,
                                "--secret " + name + ": you have no variable " + name + "; set it, or say --secret "
                                        + name + "=@FILE."));
    }

    /** The file's content; the line end that editors put at the end of a file is not part of a secret. */
    private static String fromFile(String name, String path) {
        String option = "--secret " + name;
        return Submission.utf8(new LocalFile(Path.of(path), option).content(SECRET_BYTES_MAX))
                .orElseThrow(() -> new UserError(ExitCode.USAGE, option + ": " + path + " is not text (UTF-8)."))
                .replaceFirst("\\r?\\n\\z", "");
    }

    private static void addLabel(Submission submission, String label) {
        int equals = label.indexOf('=');
        if (equals < 1) {
            throw new UserError(ExitCode.USAGE, "--label " + label + ": a label is K=V.");
        }
        submission.label(label.substring(0, equals), label.substring(equals + 1));
    }

    /**
     * A path may itself contain an equals sign; if the whole text is an existing path, it is taken as such. A file's mode is
     * sent if it differs from the node's default.
     */
    private static void addFile(Submission submission, String file, Map<Digest, Path> uploads) {
        int equals = file.lastIndexOf('=');
        boolean renamed = equals > 0 && !Files.exists(Path.of(file));
        Path path = Path.of(renamed ? file.substring(0, equals) : file);
        String destination = renamed ? file.substring(equals + 1) : String.valueOf(path.getFileName());
        if (Files.isDirectory(path)) {
            LocalFolder.Packed packed = new LocalFolder(path, "--file " + file).packed();
            uploads.put(packed.digest(), packed.archive());
            submission.archive(destination, packed.digest());
            return;
        }
        LocalFile local = new LocalFile(path, "--file " + file);
        if (local.bytes() > INLINE_BYTES_MAX) {
            Digest digest = local.digest();
            uploads.put(digest, path);
            submission.blob(destination, digest, local.mode(Blob.EMPTY));
            return;
        }
        byte[] content = local.content(INLINE_BYTES_MAX);
        Blob beginning = Blob.of(content);
        FileMode mode = local.mode(beginning);
        if (mode.equals(FileMode.PLAIN) || mode.equals(FileMode.ofContent(beginning))) {
            submission.file(destination, content);
        } else {
            submission.file(destination, content, mode);
        }
    }
}
