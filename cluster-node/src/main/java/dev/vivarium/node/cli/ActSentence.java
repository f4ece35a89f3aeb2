package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.access.Quota;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** An administrative act as a sentence that a person can read aloud. */
final class ActSentence {
    private ActSentence() {}

    /** What an act says; its name alone, where this version does not know it. */
    static String of(JsonNode event) {
        JsonNode data = event.path("data");
        return switch (event.path("type").asText()) {
            case "NodeJoined" -> "The node started"
                    + (data.path("address").isTextual()
                            ? " and joined, at " + data.path("address").asText() + "."
                            : ", alone.");
            case "NodeDrained" -> data.path("by").asText() + " had the node take no new runs, and end.";
            case "NodeRemoved" -> "Node " + data.path("removed").asText() + " at "
                    + data.path("address").asText()
                    + (data.path("removal").asText().equals("LEFT")
                            ? " left the cluster."
                            : " was given up: the cluster could not reach it.");
            case "SandboxesReaped" -> data.path("count").asInt() + " sandboxes that belonged to nobody were destroyed: "
                    + words(data.path("sandboxes")) + ".";
            case "DataDeleted" -> "The node deleted the "
                    + data.path("data").asText().toLowerCase(Locale.ROOT) + " of "
                    + data.path("runs").asInt() + " runs of tenant "
                    + data.path("tenant").asText() + ", "
                    + data.path("kept").asText() + " after they had ended.";
            case "RunsDeleted" -> "The node deleted "
                    + data.path("runs").size() + " runs of tenant "
                    + data.path("tenant").asText() + " with their events (positions "
                    + data.path("positions").asText() + "), "
                    + data.path("kept").asText() + " after they had ended.";
            case "RunDataDeleted" -> Timeline.caller(data) + " had the "
                    + data.path("data").asText().toLowerCase(Locale.ROOT) + " of run "
                    + data.path("run").asText() + " of tenant "
                    + data.path("tenant").asText() + " deleted.";
            case "BlobDeleted" -> Timeline.caller(data) + " had the content "
                    + data.path("digest").asText() + " of tenant "
                    + data.path("tenant").asText() + " deleted.";
            case "TokenCreated" -> Timeline.caller(data) + " made token "
                    + data.path("token").asText() + " ("
                    + data.path("name").asText() + ", " + data.path("role").asText() + " of tenant "
                    + data.path("tenant").asText() + "), which expires at "
                    + data.path("expiresAt").asText()
                    + (data.path("replaces").isTextual()
                            ? ", in place of " + data.path("replaces").asText() + "."
                            : ".");
            case "TokenRevoked" -> Timeline.caller(data) + " ended token "
                    + data.path("token").asText() + " of tenant "
                    + data.path("tenant").asText() + ", from "
                    + data.path("endsAt").asText() + " on.";
            case "QuotasSet" -> Timeline.caller(data) + " set quotas of tenant "
                    + data.path("tenant").asText() + ": " + quotas(data) + ".";
            case "WebhookSet" -> Timeline.caller(data)
                    + (data.path("webhook").isObject()
                            ? " set the webhook of tenant "
                                    + data.path("tenant").asText() + " to "
                                    + data.path("webhook").path("url").asText() + "."
                            : " removed the webhook of tenant "
                                    + data.path("tenant").asText() + ".");
            case "WebhookKeyMade" -> Timeline.caller(data) + " made key "
                    + data.path("key").asText() + " for the webhooks of tenant "
                    + data.path("tenant").asText() + ".";
            case "SecretPut" -> Timeline.caller(data) + " put version "
                    + data.path("version").asLong() + " of secret "
                    + data.path("secret").asText() + " of tenant "
                    + data.path("tenant").asText() + ".";
            case "SecretRemoved" -> Timeline.caller(data) + " removed secret "
                    + data.path("secret").asText() + " of tenant "
                    + data.path("tenant").asText() + ".";
            case "HoldPut" -> Timeline.caller(data) + " put tenant "
                    + data.path("tenant").asText() + " under a legal hold"
                    + (data.path("reason").isTextual()
                            ? ": " + data.path("reason").asText() + "."
                            : ".");
            case "HoldRemoved" -> Timeline.caller(data) + " removed the legal hold of tenant "
                    + data.path("tenant").asText() + ".";
            case "LogExported" -> Timeline.caller(data) + " took an export of the events from position "
                    + data.path("from").asLong() + " to " + data.path("to").asLong() + ", "
                    + (data.path("tenants").isEmpty() ? "of all tenants." : "of " + words(data.path("tenants")) + ".");
            case "LogCheckBegun" -> Timeline.caller(data) + " had the whole log checked.";
            default -> event.path("type").asText() + ".";
        };
    }

    private static String quotas(JsonNode data) {
        List<String> set = new ArrayList<>();
        data.path("amounts")
                .properties()
                .forEach(amount -> set.add(amount.getKey() + " "
                        + Quota.named(amount.getKey())
                                .map(quota -> quota.written(amount.getValue().asLong()))
                                .orElseGet(() -> amount.getValue().asText())));
        data.path("reset").forEach(name -> set.add(name.asText() + " as configured"));
        return String.join(", ", set);
    }

    private static String words(JsonNode all) {
        return StreamSupport.stream(all.spliterator(), false)
                .map(JsonNode::asText)
                .collect(Collectors.joining(", "));
    }
}
