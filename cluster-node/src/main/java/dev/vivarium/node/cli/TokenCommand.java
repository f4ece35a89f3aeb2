package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.api.NewToken;
import dev.vivarium.protocol.api.TokenList;
import dev.vivarium.protocol.api.TokenView;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

/** {@code vivarium token}. */
@Command(
        name = "token",
        description = {
            "Makes, lists, replaces and ends tokens, by which callers of the API are known.",
            "A program presents its token in VIVARIUM_TOKEN, or in the header Authorization: Bearer. On the node's own"
                    + " machine its operator needs none."
        },
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 65 the node refuses it; 66 no such token; 69 the node does not answer.",
            "",
            "Example:",
            "  VIVARIUM_TOKEN=$(vivarium token create --role submitter --tenant research) vivarium run ..."
        })
final class TokenCommand implements Runnable {
    private static final String FORM = "viv, or e2b for clients that demand that prefix (default: ${DEFAULT-VALUE}).";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new TokenCommand())
                .addSubcommand(new Create(surroundings))
                .addSubcommand(new ListTokens(surroundings))
                .addSubcommand(new Revoke(surroundings))
                .addSubcommand(new Rotate(surroundings))
                .addSubcommand(new ShowLocal(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /** The token goes to the output alone, so that a script can take it. */
    private static void show(NewToken made, JsonNode answer, FormatOption format, Terminal terminal) {
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(answer));
            return;
        }
        TokenView about = made.about();
        terminal.note("token " + about.id() + " for " + about.role() + " " + about.name() + " of tenant "
                + Printable.of(about.tenant().name()) + " until " + about.expiresAt() + "; it is shown this once:");
        terminal.say(made.token());
    }

    /** {@code vivarium token create}. */
    @Command(
            name = "create",
            description = "Makes a token and shows it, once.",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {
                "",
                "Examples:",
                "  vivarium token create --role submitter --tenant research --name ci --expires 90d",
                "  vivarium token create --role submitter --scope-label team=a --scope-image vivarium/python"
                        + " --scope-limit memory=512Mi"
            })
    static final class Create implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(
                names = "--role",
                paramLabel = "ROLE",
                required = true,
                description =
                        "submitter (starts, sees and cancels runs of the tenant), viewer (sees them), auditor (also"
                                + " searches events) or operator (everything, in all tenants).")
        private String role = "";

        @Option(names = "--tenant", paramLabel = "NAME", description = "The tenant (default: default).")
        private @Nullable String tenant;

        @Option(names = "--name", paramLabel = "NAME", description = "Who uses it, for events (default: its id).")
        private @Nullable String name;

        @Option(
                names = "--expires",
                paramLabel = "TIME",
                description = "How long it holds, as 90d or 12h (default: 90d, unless the operator has set another).")
        private @Nullable String expires;

        @Option(names = "--form", paramLabel = "FORM", defaultValue = "viv", description = FORM)
        private String form = "viv";

        @Option(
                names = "--scope-label",
                paramLabel = "K=V",
                description = "Only runs with this label; may be repeated.")
        private Map<String, String> labels = new LinkedHashMap<>();

        @Option(names = "--scope-image", paramLabel = "IMAGE", description = "Only runs with this image.")
        private @Nullable String image;

        @Option(
                names = "--scope-limit",
                paramLabel = "LIMIT=AMOUNT",
                description = "Only runs with at most this limit, as memory=512Mi; may be repeated.")
        private Map<String, String> limits = new LinkedHashMap<>();

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Create(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ObjectNode wish = ApiJson.object();
            wish.put("role", role);
            wish.put("form", form);
            putIfGiven(wish, "tenant", tenant);
            putIfGiven(wish, "name", name);
            putIfGiven(wish, "expires", expires);
            if (!labels.isEmpty() || image != null || !limits.isEmpty()) {
                ObjectNode scope = wish.putObject("scope");
                putIfGiven(scope, "image", image);
                if (!labels.isEmpty()) {
                    ObjectNode named = scope.putObject("labels");
                    labels.forEach(named::put);
                }
                if (!limits.isEmpty()) {
                    scope.set("limits", ApiJson.tree(amounts()));
                }
            }
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.createToken(wish);
            show(client.read(answer, NewToken.class), answer, format, surroundings.terminal());
            return ExitCode.OK;
        }

        private Limits amounts() {
            Limits named = Limits.NONE;
            for (Map.Entry<String, String> given : limits.entrySet()) {
                Limit<?> limit = Limit.ALL.stream()
                        .filter(known -> known.name().equals(given.getKey()))
                        .findFirst()
                        .orElseThrow(() -> new UserError(
                                ExitCode.USAGE,
                                "--scope-limit " + given.getKey() + ": there is no such limit; there are "
                                        + String.join(", ", Limit.names()) + "."));
                try {
                    named = named.with(limit, given.getValue());
                } catch (IllegalArgumentException | ArithmeticException malformed) {
                    throw new UserError(
                            ExitCode.USAGE, "--scope-limit " + given.getKey() + " " + malformed.getMessage() + ".");
                }
            }
            return named;
        }

        private static void putIfGiven(ObjectNode object, String field, @Nullable String value) {
            if (value != null) {
                object.put(field, value);
            }
        }
    }

    /** {@code vivarium token list}. */
    @Command(
            name = "list",
            description = "Lists tokens, newest first, also those that have ended a short time ago.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListTokens implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(names = "--tenant", paramLabel = "NAME", description = "Only this tenant's.")
        private @Nullable String tenant;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        ListTokens(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            List<Map.Entry<String, String>> query = new ArrayList<>();
            if (tenant != null) {
                query.add(new SimpleImmutableEntry<>("tenant", tenant));
            }
            JsonNode answer = client.tokens(query);
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            Instant now = surroundings.clock().instant();
            Table table = new Table("TOKEN", "NAME", "TENANT", "ROLE", "SCOPE", "ENDS", "LAST USED");
            for (TokenView token : client.read(answer, TokenList.class).tokens()) {
                table.row(
                        token.id().value(),
                        token.name(),
                        Printable.of(token.tenant().name()),
                        token.role().toString(),
                        Printable.of(scope(token.scope())),
                        end(token, now),
                        token.lastUsedAt().map(Instant::toString).orElse("never"));
            }
            terminal.print(table.render(terminal.colours()));
            return ExitCode.OK;
        }

        private static String end(TokenView token, Instant now) {
            if (token.revokedAt().filter(end -> !end.isAfter(now)).isPresent()) {
                return "revoked";
            }
            return token.expiresAt().isAfter(now)
                    ? token.revokedAt().orElse(token.expiresAt()).toString()
                    : "expired";
        }

        private static String scope(Scope scope) {
            List<String> parts = new ArrayList<>();
            new TreeMap<>(scope.labels()).forEach((key, value) -> parts.add(key + "=" + value));
            scope.image().ifPresent(image -> parts.add("image=" + image));
            scope.limits().byName().forEach((name, amount) -> parts.add(name + "<=" + amount));
            return parts.isEmpty() ? "-" : String.join(" ", parts);
        }
    }

    /** {@code vivarium token revoke}. */
    @Command(
            name = "revoke",
            description = "Ends tokens: here at once, on all nodes within seconds.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Revoke implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TOKEN", arity = "1..*", description = "The ids, as `vivarium token list` shows them.")
        private List<String> ids = new ArrayList<>();

        @Mixin
        private final ServerOption server = new ServerOption();

        Revoke(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            for (String id : ids) {
                client.revokeToken(id);
                surroundings.terminal().note("token " + Printable.of(id) + " is revoked.");
            }
            return ExitCode.OK;
        }
    }

    /** {@code vivarium token rotate}. */
    @Command(
            name = "rotate",
            description = "Makes a token that grants what another one does, shows it once, and ends the other one.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Rotate implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TOKEN", description = "The id of the token to replace.")
        private String id = "";

        @Option(
                names = "--overlap",
                paramLabel = "TIME",
                description = "How long the other one holds on, as 10m (default: not at all).")
        private @Nullable String overlap;

        @Option(names = "--form", paramLabel = "FORM", defaultValue = "viv", description = FORM)
        private String form = "viv";

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Rotate(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            List<Map.Entry<String, String>> query = new ArrayList<>();
            query.add(new SimpleImmutableEntry<>("form", form));
            if (overlap != null) {
                query.add(new SimpleImmutableEntry<>("overlap", overlap));
            }
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.rotateToken(id, query);
            show(client.read(answer, NewToken.class), answer, format, surroundings.terminal());
            return ExitCode.OK;
        }
    }

    /** {@code vivarium token show-local}. */
    @Command(
            name = "show-local",
            description = {
                "Shows the token of this machine's operator, for browsers and other programs.",
                "Commands find it by themselves. It holds for nodes of this machine, over the loopback interface only. To"
                        + " replace it, remove its file and restart the node."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ShowLocal implements Callable<Integer> {
        private final Surroundings surroundings;

        ShowLocal(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() {
            Path file = Credentials.fileIn(surroundings.home());
            String token = Credentials.in(file)
                    .token()
                    .orElseThrow(() -> new UserError(
                            ExitCode.NOT_FOUND,
                            "there is no token in " + file + " that you can read: `vivarium up` makes one, and only its"
                                    + " own user can read it."));
            surroundings.terminal().say(token);
            return ExitCode.OK;
        }
    }
}
