package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.api.TenantList;
import dev.vivarium.protocol.api.TenantUsage;
import dev.vivarium.protocol.api.TenantUsage.OfQuota;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vivarium tenant}. */
@Command(
        name = "tenant",
        description = {
            "Sets and shows the quotas of tenants.",
            "Over a quota a submission or a read is refused; nothing that runs is ended. runs counts runs that have not"
                    + " ended, waiting those of them that wait for a slot; memory, cpu, pids and disk add up their limits;"
                    + " egressBytesPerDay adds up the limits egressBytes of those with a network, and what runs have used that"
                    + " ended today (UTC); keptBytes adds up the limits output and artifacts, what ended runs have printed until"
                    + " that is deleted, and contents of files; submissionsPerSecond and readsPerSecond hold on each node. weight, 1 unless it is set, is the share"
                    + " of slots while runs wait: for each slot of a tenant with 1, one with 3 gets three."
        },
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 65 the node refuses it; 69 the node does not answer.",
            "",
            "Example:",
            "  vivarium tenant set research runs=100 memory=256Gi submissionsPerSecond=50"
        })
final class TenantCommand implements Runnable {
    private static final String DEFAULT = "default";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new TenantCommand())
                .addSubcommand(new SetQuotas(surroundings))
                .addSubcommand(new Show(surroundings))
                .addSubcommand(new ListTenants(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /** Here, since a path with a name such as ".." never arrives. */
    static String plain(String tenant) {
        if (!Tenant.isPlain(tenant)) {
            throw new UserError(
                    ExitCode.USAGE,
                    "the name of a tenant " + Tenant.PLAIN_RULE + ", not " + Printable.of(tenant) + ".");
        }
        return tenant;
    }

    private static void show(TenantUsage usage, JsonNode answer, FormatOption format, Terminal terminal) {
        if (format.isJson()) {
            terminal.say(ApiJson.pretty(answer));
            return;
        }
        Table table = new Table("QUOTA", "LIMIT", "USED", "FROM");
        for (OfQuota quota : usage.quotas()) {
            table.row(
                    quota.quota().toString(),
                    limit(quota),
                    written(quota.quota(), quota.used()),
                    quota.from().name().toLowerCase(Locale.ROOT));
        }
        terminal.print(table.render(terminal.colours()));
    }

    private static String limit(OfQuota quota) {
        return quota.quota().written(quota.limit().orElse(Quota.UNLIMITED));
    }

    private static String written(Quota quota, OptionalLong amount) {
        return amount.isPresent() ? quota.written(amount.getAsLong()) : "-";
    }

    /** {@code vivarium tenant set}. */
    @Command(
            name = "set",
            description = {
                "Sets quotas of a tenant: at once on the node that is asked, within seconds on all others. Quotas that are not",
                "named do not change.",
                "An amount is in the notation of limits, or unlimited, or default for what the configuration says."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class SetQuotas implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(index = "0", paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "QUOTA=AMOUNT",
                description = "As runs=100, memory=256Gi, cpu=64, disk=default.")
        private Map<String, String> amounts = new LinkedHashMap<>();

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        SetQuotas(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ObjectNode wish = ApiJson.object();
            amounts.forEach((name, amount) -> wish.put(checked(name, amount).toString(), amount));
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.setQuotas(plain(tenant), wish);
            show(client.read(answer, TenantUsage.class), answer, format, surroundings.terminal());
            return ExitCode.OK;
        }

        private static Quota checked(String name, String amount) {
            Quota quota = Quota.named(name)
                    .orElseThrow(() -> new UserError(
                            ExitCode.USAGE,
                            "there is no quota " + Printable.of(name) + "; there are "
                                    + Arrays.stream(Quota.values())
                                            .map(Quota::toString)
                                            .collect(Collectors.joining(", "))
                                    + "."));
            if (!amount.equals(DEFAULT)) {
                try {
                    quota.amount(amount);
                } catch (IllegalArgumentException malformed) {
                    throw new UserError(ExitCode.USAGE, name + " " + malformed.getMessage() + ", or " + DEFAULT + ".");
                }
            }
            return quota;
        }
    }

    /** {@code vivarium tenant show}. */
    @Command(
            name = "show",
            description = "Shows the quotas of a tenant, and what it uses of them in the cluster.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Show implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Show(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.usage(plain(tenant));
            show(client.read(answer, TenantUsage.class), answer, format, surroundings.terminal());
            return ExitCode.OK;
        }
    }

    /** {@code vivarium tenant list}. */
    @Command(
            name = "list",
            description = "Lists tenants that have quotas of their own, or runs that have not ended.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListTenants implements Callable<Integer> {
        private final Surroundings surroundings;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        ListTenants(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.tenants();
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            Table table = new Table("TENANT", "RUNS", "WAITING", "QUOTAS", "SET BY");
            for (TenantUsage tenant : client.read(answer, TenantList.class).tenants()) {
                table.row(
                        Printable.of(tenant.tenant().name()),
                        used(tenant, Quota.RUNS),
                        used(tenant, Quota.WAITING),
                        limits(tenant),
                        tenant.setBy().map(Principal::toString).orElse("-"));
            }
            terminal.print(table.render(terminal.colours()));
            return ExitCode.OK;
        }

        private static String used(TenantUsage tenant, Quota of) {
            return tenant.quotas().stream()
                    .filter(quota -> quota.quota() == of)
                    .findFirst()
                    .map(quota -> written(of, quota.used()))
                    .orElse("-");
        }

        private static String limits(TenantUsage tenant) {
            String limits = tenant.quotas().stream()
                    .filter(quota -> quota.limit().isPresent())
                    .map(quota -> quota.quota() + "=" + limit(quota))
                    .collect(Collectors.joining(" "));
            return limits.isEmpty() ? "-" : limits;
        }
    }
}
