package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Submission;
import dev.vivarium.node.admission.SecretReader;
import dev.vivarium.protocol.api.SecretList;
import dev.vivarium.protocol.api.SecretView;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vivarium secret}. */
@Command(
        name = "secret",
        description = {
            "Keeps secrets for the runs of a tenant, lists them and removes them.",
            "A run names one with `vivarium run --named-secret VARIABLE=NAME`, and has the value that is there when it"
                    + " starts. Nothing shows a value again."
        },
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 65 the node refuses it; 66 no such secret; 69 the node does not answer.",
            "",
            "Example:",
            "  vivarium secret put git-token < token.txt",
            "  vivarium run --named-secret GIT_TOKEN=git-token -- ./agent"
        })
final class SecretCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new SecretCommand())
                .addSubcommand(new Put(surroundings))
                .addSubcommand(new ListSecrets(surroundings))
                .addSubcommand(new Remove(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    private static List<Map.Entry<String, String>> query(@Nullable String tenant) {
        List<Map.Entry<String, String>> query = new ArrayList<>();
        if (tenant != null) {
            query.add(new SimpleImmutableEntry<>("tenant", tenant));
        }
        return query;
    }

    /** {@code vivarium secret put}. */
    @Command(
            name = "put",
            description = {
                "Keeps a secret, or puts another value in its place.",
                "The value comes from standard input, which on a terminal asks for it, or from a file; never from an"
                        + " argument, since command lines are no secret. A line end at its end is not part of it. Runs"
                        + " that are going on keep the value that they have; attempts that start from now on get this"
                        + " one."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Put implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(
                index = "0",
                paramLabel = "NAME",
                description = "Its name: lower-case letters, digits, '.', '_' and '-'.")
        private String name = "";

        @Parameters(index = "1..*", arity = "0..*", hidden = true)
        private List<String> more = new ArrayList<>();

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "The file with the value (default: standard input).")
        private @Nullable Path file;

        @Option(names = "--tenant", paramLabel = "NAME", description = "The tenant (default: yours).")
        private @Nullable String tenant;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Put(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, IOException {
            if (!more.isEmpty()) {
                // The value is not repeated, since the output may be logged.
                throw new UserError(
                        ExitCode.USAGE,
                        "A value on the command line is no secret, every user of this machine can read it: give it on"
                                + " standard input, or with --file.");
            }
            ApiClient client = server.client(surroundings);
            ObjectNode wish = ApiJson.object();
            wish.put("name", name);
            wish.put("value", value());
            if (tenant != null) {
                wish.put("tenant", tenant);
            }
            JsonNode answer = client.putSecret(wish);
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            SecretView secret = client.read(answer, SecretView.class);
            terminal.note("secret " + secret.name() + " of tenant "
                    + Printable.of(secret.tenant().name()) + " has version " + secret.version() + ".");
            return ExitCode.OK;
        }

        private String value() throws IOException {
            if (file != null) {
                return text(new LocalFile(file, "--file").content(SecretReader.VALUE_BYTES_MAX + 2));
            }
            Optional<String> typed = surroundings.secretPrompt().ask(name);
            return typed.isPresent() ? typed.get() : text(System.in.readNBytes(SecretReader.VALUE_BYTES_MAX + 3));
        }

        private String text(byte[] content) {
            return Submission.utf8(content)
                    .orElseThrow(() -> new UserError(
                            ExitCode.USAGE,
                            "The value of " + Printable.of(name) + " is not text (UTF-8): encode it, as in Base64."))
                    .replaceFirst("\\r?\\n\\z", "");
        }
    }

    /** {@code vivarium secret list}. */
    @Command(
            name = "list",
            description = "Lists a tenant's secrets, without their values.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListSecrets implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(names = "--tenant", paramLabel = "NAME", description = "The tenant (default: yours).")
        private @Nullable String tenant;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        ListSecrets(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.secrets(query(tenant));
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            Table table = new Table("SECRET", "TENANT", "VERSION", "PUT BY", "PUT AT", "LAST USED");
            for (SecretView secret : client.read(answer, SecretList.class).secrets()) {
                table.row(
                        secret.name().value(),
                        Printable.of(secret.tenant().name()),
                        Long.toString(secret.version()),
                        secret.putBy().toString(),
                        secret.putAt().toString(),
                        secret.lastUsedAt().map(Instant::toString).orElse("never"));
            }
            terminal.print(table.render(terminal.colours()));
            return ExitCode.OK;
        }
    }

    /** {@code vivarium secret remove}. */
    @Command(
            name = "remove",
            description =
                    "Removes secrets and their values. A run that names one and has not started yet ends without having run.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Remove implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "NAME", arity = "1..*", description = "Their names.")
        private List<String> names = new ArrayList<>();

        @Option(names = "--tenant", paramLabel = "NAME", description = "The tenant (default: yours).")
        private @Nullable String tenant;

        @Mixin
        private final ServerOption server = new ServerOption();

        Remove(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            for (String name : names) {
                client.removeSecret(name, query(tenant));
                surroundings.terminal().note("secret " + Printable.of(name) + " is removed.");
            }
            return ExitCode.OK;
        }
    }
}
