package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.LegalHoldList;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
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

/** {@code vivarium audit hold}. */
@Command(
        name = "hold",
        description = {
            "Puts tenants under legal holds, lists these and removes them.",
            "While a tenant is held, no node deletes the output or the artifacts of its runs, whatever"
                    + " vivarium.retention says. Who put and who removed a hold is in the audit, which the tenant's"
                    + " auditors see."
        },
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 65 the node refuses it; 66 no such hold; 69 the node does not answer.",
            "",
            "Example:",
            "  vivarium audit hold put research --reason \"case 4711\""
        })
final class AuditHoldCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new AuditHoldCommand())
                .addSubcommand(new Put(surroundings))
                .addSubcommand(new ListHolds(surroundings))
                .addSubcommand(new Remove(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /** {@code vivarium audit hold put}. */
    @Command(
            name = "put",
            description = {
                "Puts a tenant under a legal hold, or gives its hold another reason.",
                "When the command ends, nothing of the tenant is deleted any more, by any node."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Put implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Option(
                names = "--reason",
                paramLabel = "TEXT",
                description = "Why, for those who find the hold later, the tenant's auditors among them.")
        private @Nullable String reason;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Put(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            ObjectNode body = ApiJson.object();
            if (reason != null) {
                body.put("reason", reason);
            }
            JsonNode answer = client.putHold(tenant, body);
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            terminal.note("tenant " + Printable.of(tenant) + " is held: nothing that is kept of its runs is deleted.");
            return ExitCode.OK;
        }
    }

    /** {@code vivarium audit hold list}. */
    @Command(
            name = "list",
            description = "Lists the legal holds; those of the configuration (vivarium.retention.tenants) are not among"
                    + " them.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListHolds implements Callable<Integer> {
        private final Surroundings surroundings;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        ListHolds(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.holds();
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            Table table = new Table("TENANT", "PUT BY", "PUT AT", "REASON");
            for (LegalHold hold : client.read(answer, LegalHoldList.class).holds()) {
                table.row(
                        Printable.of(hold.tenant().name()),
                        hold.putBy().toString(),
                        hold.putAt().toString(),
                        Printable.of(hold.reason().orElse("")));
            }
            terminal.print(table.render(terminal.colours()));
            return ExitCode.OK;
        }
    }

    /** {@code vivarium audit hold remove}. */
    @Command(
            name = "remove",
            description = "Removes a tenant's legal hold: what is older than vivarium.retention says is deleted within"
                    + " the hour.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Remove implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Mixin
        private final ServerOption server = new ServerOption();

        Remove(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            server.client(surroundings).removeHold(tenant);
            surroundings.terminal().note("tenant " + Printable.of(tenant) + " is held no more.");
            return ExitCode.OK;
        }
    }
}
