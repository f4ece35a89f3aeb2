package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.NewWebhookKey;
import dev.vivarium.protocol.api.TenantWebhookView;
import dev.vivarium.protocol.api.WebhookDeliveryList;
import dev.vivarium.protocol.api.WebhookDeliveryView;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vivarium webhooks}. */
@Command(
        name = "webhooks",
        description = {
            "Lists and repeats messages to the webhooks of runs, and sets what tenants need for them.",
            "A run names its webhook with `vivarium run --webhook URL`, or has its tenant's. Messages are signed with the"
                    + " tenant's key, in the form of Standard Webhooks, and sent again until they are accepted."
        },
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 65 the node refuses it; 66 no such run or message; 69 the node does not"
                    + " answer; 75 try again later.",
            "",
            "Example:",
            "  vivarium webhooks key default",
            "  vivarium run --webhook https://hooks.example.com/runs -- true",
            "  vivarium webhooks list ID"
        })
final class WebhooksCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new WebhooksCommand())
                .addSubcommand(new ListDeliveries(surroundings))
                .addSubcommand(new Repeat(surroundings))
                .addSubcommand(new Key(surroundings))
                .addSubcommand(new SetOfTenant(surroundings))
                .addSubcommand(new Unset(surroundings))
                .addSubcommand(new Show(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    private static void show(List<WebhookDeliveryView> deliveries, Terminal terminal) {
        Table table = new Table("EVENT", "STATE", "SENT", "LAST", "NEXT", "ANSWER", "URL", "SEQ");
        for (WebhookDeliveryView delivery : deliveries) {
            table.row(
                    delivery.event().toString(),
                    delivery.state().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    Integer.toString(delivery.attempts()),
                    time(delivery.triedAt()),
                    time(delivery.nextAt()),
                    Printable.of(delivery.answer().orElse("-")),
                    Printable.of(delivery.url()),
                    Long.toString(delivery.seq()));
        }
        terminal.print(table.render(terminal.colours()));
    }

    private static void show(TenantWebhookView webhooks, Terminal terminal) {
        terminal.say("tenant " + webhooks.tenant() + ": "
                + webhooks.webhook().map(WebhooksCommand::words).orElse("no webhook of its own"));
        Table table = new Table("KEY", "MADE", "ENDS");
        webhooks.keys().forEach(key -> table.row(key.id(), key.madeAt().toString(), time(key.endsAt())));
        terminal.print(table.render(terminal.colours()));
    }

    private static String words(Webhook webhook) {
        return Printable.of(webhook.url()) + " for "
                + webhook.events().stream().map(WebhookEvent::toString).collect(Collectors.joining(", "));
    }

    private static String time(Optional<Instant> time) {
        return time.map(Instant::toString).orElse("-");
    }

    /** {@code vivarium webhooks list}. */
    @Command(
            name = "list",
            description = "Lists a run's messages to its webhook, and what has become of each.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListDeliveries implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "ID", description = "The run.")
        private String id = "";

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        ListDeliveries(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.webhookDeliveries(ServerOption.runId(id));
            if (format.isJson()) {
                surroundings.terminal().say(ApiJson.pretty(answer));
            } else {
                show(client.read(answer, WebhookDeliveryList.class).deliveries(), surroundings.terminal());
            }
            return ExitCode.OK;
        }
    }

    /** {@code vivarium webhooks repeat}. */
    @Command(
            name = "repeat",
            description = "Has a message sent again, whatever has become of it: one that was given up, for example.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Repeat implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(index = "0", paramLabel = "ID", description = "The run.")
        private String id = "";

        @Parameters(index = "1", paramLabel = "SEQ", description = "The message, by its number in the list.")
        private long seq;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Repeat(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.repeatWebhookDelivery(ServerOption.runId(id), seq);
            if (format.isJson()) {
                surroundings.terminal().say(ApiJson.pretty(answer));
            } else {
                show(List.of(client.read(answer, WebhookDeliveryView.class)), surroundings.terminal());
            }
            return ExitCode.OK;
        }
    }

    /** {@code vivarium webhooks key}. */
    @Command(
            name = "key",
            description = {
                "Makes a key for the signatures of a tenant's webhooks, and shows its secret this once. Without a key no run of"
                        + " the tenant can have a webhook.",
                "Keys that the tenant had sign on for a time beside it, so that receivers can be given the new one meanwhile."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Key implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Option(
                names = "--overlap",
                paramLabel = "TIME",
                description = "How long the keys before it sign on, up to 720h (default: a day). 0s ends them at once.")
        private @Nullable String overlap;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Key(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            ApiClient client = server.client(surroundings);
            JsonNode answer = client.makeWebhookKey(TenantCommand.plain(tenant), Optional.ofNullable(overlap));
            Terminal terminal = surroundings.terminal();
            if (format.isJson()) {
                terminal.say(ApiJson.pretty(answer));
                return ExitCode.OK;
            }
            NewWebhookKey made = client.read(answer, NewWebhookKey.class);
            terminal.say(made.secret());
            terminal.note("receivers verify with it; it is not shown again");
            return ExitCode.OK;
        }
    }

    /** {@code vivarium webhooks set}. */
    @Command(
            name = "set",
            description = "Sets the webhook of a tenant's submissions that name none; for runs submitted from now on.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class SetOfTenant implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(index = "0", paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Parameters(index = "1", paramLabel = "URL", description = "Where messages go.")
        private String url = "";

        @Option(
                names = "--event",
                paramLabel = "EVENT",
                description = "What it is called for: started, warning or ended; may be repeated (default: all).")
        private List<String> events = new ArrayList<>();

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        SetOfTenant(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            var webhook = ApiJson.object().put("url", url);
            if (!events.isEmpty()) {
                events.forEach(webhook.putArray("events")::add);
            }
            return changed(
                    server, surroundings, format, tenant, ApiJson.object().set("webhook", webhook));
        }
    }

    /** {@code vivarium webhooks unset}. */
    @Command(
            name = "unset",
            description = "Removes the webhook of a tenant's submissions that name none.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Unset implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "TENANT", description = "The tenant.")
        private String tenant = "";

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final ServerOption server = new ServerOption();

        Unset(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws ApiException, InterruptedIOException {
            return changed(
                    server, surroundings, format, tenant, ApiJson.object().putNull("webhook"));
        }
    }

    private static int changed(
            ServerOption server, Surroundings surroundings, FormatOption format, String tenant, JsonNode body)
            throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        return shown(client, surroundings, format, client.setTenantWebhook(TenantCommand.plain(tenant), body));
    }

    private static int shown(ApiClient client, Surroundings surroundings, FormatOption format, JsonNode answer)
            throws ApiException {
        if (format.isJson()) {
            surroundings.terminal().say(ApiJson.pretty(answer));
        } else {
            show(client.read(answer, TenantWebhookView.class), surroundings.terminal());
        }
        return ExitCode.OK;
    }

    /** {@code vivarium webhooks show}. */
    @Command(
            name = "show",
            description = "Shows a tenant's own webhook, and the keys that sign, without their secrets.",
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
            return shown(client, surroundings, format, client.tenantWebhooks(TenantCommand.plain(tenant)));
        }
    }
}
