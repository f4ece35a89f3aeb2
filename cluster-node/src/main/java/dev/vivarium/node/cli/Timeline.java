package dev.vivarium.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.terminal.Amounts;
import dev.vivarium.terminal.ShellWords;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A run's events as sentences that can be read aloud, with the time between each and the one before. Pure. */
final class Timeline {
    private static final int NAMED_MAX = 5;

    private Timeline() {}

    /** The lines, for a run's events in their order. */
    static List<String> of(List<JsonNode> events) {
        List<String> lines = new ArrayList<>();
        Instant before = null;
        for (JsonNode event : events) {
            Instant at = instant(event.path("at").asText(), before == null ? Instant.EPOCH : before);
            if (before == null) {
                lines.add("Run " + event.path("run").asText());
            }
            String since = before == null ? "" : "+" + Amounts.time(positive(Duration.between(before, at)));
            lines.add("%-24s  %9s  %s".formatted(event.path("at").asText(), since, sentence(event)));
            before = at;
        }
        return lines;
    }

    private static Duration positive(Duration time) {
        return time.isNegative() ? Duration.ZERO : time;
    }

    private static Instant instant(String text, Instant fallback) {
        try {
            return Instant.parse(text);
        } catch (DateTimeException unreadable) {
            return fallback;
        }
    }

    /** What an event says. */
    static String sentence(JsonNode event) {
        JsonNode data = event.path("data");
        String attempt = "Attempt " + data.path("attempt").asInt();
        return switch (event.path("type").asText()) {
            case "RunSubmitted" -> submitted(event, data);
            case "RunQueued" -> "It waited: no node had room for it.";
            case "AttemptStarting" -> attempt + " began on "
                    + event.path("node").asText() + ".";
            case "SecretsUsed" -> "It was given secrets of its tenant: "
                    + StreamSupport.stream(data.path("secrets").spliterator(), false)
                            .map(secret -> secret.path("name").asText() + " (version "
                                    + secret.path("version").asLong() + ")")
                            .collect(Collectors.joining(", "))
                    + ".";
            case "AttemptStarted" -> "The agent ran, in a sandbox that "
                    + (data.path("start").path("birth").asText().equals("WARM")
                            ? "waited for it."
                            : "was made for it.");
            case "AlarmRaised" -> alarm(data);
            case "EgressDenied" -> "It was kept from "
                    + data.path("destinations").asLong() + " destinations, "
                    + data.path("total").asLong() + " times so far: " + named(data.path("mostTried"));
            case "EgressUsed" -> "It had made " + data.path("connections").asLong() + " connections to "
                    + data.path("destinations").asLong() + " destinations, sent "
                    + Amounts.size(data.path("bytesOut").asLong()) + " and received "
                    + Amounts.size(data.path("bytesIn").asLong()) + ": " + named(data.path("mostReached"));
            case "ArtifactsKept" -> data.path("files").size() + " files were kept, "
                    + data.path("leftOut").asLong() + " left out.";
            case "DeadlineMoved" -> caller(data) + " moved its deadline from "
                    + data.path("from").asText() + " to " + data.path("to").asText() + ".";
            case "WarningSent" -> "The agent was warned of its deadline.";
            case "CancelRequested" -> caller(data) + " asked to stop it.";
            case "AttemptInterrupted" -> attempt + " was interrupted ("
                    + data.path("cause").asText() + "): " + data.path("detail").asText() + by(data);
            case "RunSucceeded" -> "It succeeded" + used(data);
            case "RunFailed" -> "It failed with exit code "
                    + data.path("exitCode").asInt() + used(data);
            case "RunNotStarted" -> "It never ran: "
                    + data.path("failure").path("message").asText();
            case "RunKilled" -> "It was killed for " + data.path("reason").asText() + measured(data) + used(data);
            case "RunCancelled" -> "It was stopped, as asked" + used(data);
            case "RunLost" -> "It was lost (" + data.path("cause").asText() + "): "
                    + data.path("detail").asText();
            default -> ActSentence.of(event);
        };
    }

    private static String submitted(JsonNode event, JsonNode data) {
        List<String> command = StreamSupport.stream(
                        data.path("spec").path("command").spliterator(), false)
                .map(JsonNode::asText)
                .toList();
        return caller(data) + " submitted it to "
                + event.path("node").asText() + ", to run " + ShellWords.of(command) + " in "
                + data.path("spec").path("image").asText() + ".";
    }

    /** Who caused it, and from where. */
    static String caller(JsonNode data) {
        JsonNode origin = data.path("origin");
        String details = Stream.of(named("token ", origin.path("token")), named("from ", origin.path("address")))
                .flatMap(Optional::stream)
                .collect(Collectors.joining(", "));
        return data.path("by").asText() + (details.isEmpty() ? "" : " (" + details + ")");
    }

    private static Optional<String> named(String name, JsonNode value) {
        return value.isTextual() ? Optional.of(name + value.asText()) : Optional.empty();
    }

    private static String alarm(JsonNode data) {
        String limit = data.path("reason").asText();
        return data.path("consequence").asText().equals("KILL")
                ? "It reached the limit " + limit + measured(data) + ", and the node killed its processes."
                : "It came near the limit " + limit + measured(data) + ".";
    }

    private static String measured(JsonNode data) {
        JsonNode measurement = data.path("measurement");
        if (!measurement.isObject()) {
            return "";
        }
        try {
            return " (" + Amounts.measurement(ApiJson.as(measurement, Measurement.class)) + ")";
        } catch (JsonProcessingException ofANewerNode) {
            return "";
        }
    }

    private static String by(JsonNode data) {
        return data.path("by").isTextual() ? " (by " + data.path("by").asText() + ")" : "";
    }

    private static String used(JsonNode data) {
        JsonNode usage = data.path("usage");
        return ", after "
                + Amounts.time(Duration.ofMillis(usage.path("wallMillis").asLong())) + " with "
                + Amounts.time(Duration.ofMillis(usage.path("cpuMillis").asLong())) + " of processor time and at most "
                + Amounts.size(usage.path("memoryPeakBytes").asLong()) + " of memory.";
    }

    private static String named(JsonNode destinations) {
        return StreamSupport.stream(destinations.spliterator(), false)
                .limit(NAMED_MAX)
                .map(one -> one.path("destination").asText() + " port "
                        + one.path("port").asInt())
                .collect(Collectors.joining(", ", "", "."));
    }
}
