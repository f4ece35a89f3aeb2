package dev.vivarium.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.EventFollower;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vivarium events}. */
@Command(
        name = "events",
        description = "Prints a run's history.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Examples:", "  vivarium events -f ID", "  vivarium events -o json ID    one event a line"})
final class EventsCommand implements Callable<Integer> {
    /** Fields that have their own columns. */
    private static final Set<String> SHOWN = Set.of("type", "at", "node", "runId", "spec");

    private static final int VALUE_CHARACTERS_MAX = 200;

    private final Surroundings surroundings;

    @Parameters(paramLabel = "ID", description = "The run.")
    private String id = "";

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until the run's last event.")
    private boolean follow;

    @Mixin
    private final FormatOption format = new FormatOption();

    @Mixin
    private final ServerOption server = new ServerOption();

    EventsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws ApiException, InterruptedIOException {
        ApiClient client = server.client(surroundings);
        String run = ServerOption.runId(id);
        if (follow) {
            new EventFollower(client, run, this::print).follow();
        } else {
            client.events(run).path("events").forEach(this::print);
        }
        return ExitCode.OK;
    }

    private void print(JsonNode event) {
        surroundings.terminal().say(format.isJson() ? ApiJson.line(event) : line(event));
    }

    /** One event in one line: number, time, name, and its fields. */
    static String line(JsonNode event) {
        List<String> words = new ArrayList<>();
        event.path("data").properties().forEach(field -> {
            if (!SHOWN.contains(field.getKey()) && !field.getValue().isNull()) {
                words.add(field.getKey() + "=" + value(field.getValue()));
            }
        });
        return "%3d  %-24s  %-18s  %s"
                .formatted(
                        event.path("seq").asLong(),
                        Printable.of(event.path("at").asText()),
                        Printable.of(event.path("type").asText()),
                        Printable.of(String.join(" ", words)))
                .stripTrailing();
    }

    private static String value(JsonNode value) {
        if (value.path("unit").isTextual() && value.path("measured").isIntegralNumber()) {
            return measurement(value);
        }
        String text = value.isValueNode() ? value.asText() : ApiJson.line(value);
        return text.length() <= VALUE_CHARACTERS_MAX ? text : text.substring(0, VALUE_CHARACTERS_MAX) + "…";
    }

    /** A measurement as readable text; with an unknown unit, as JSON. */
    private static String measurement(JsonNode value) {
        try {
            return Amounts.measurement(ApiJson.as(value, Measurement.class));
        } catch (JsonProcessingException ofANewerNode) {
            return ApiJson.line(value);
        }
    }
}
