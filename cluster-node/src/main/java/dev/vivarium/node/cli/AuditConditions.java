package dev.vivarium.node.cli;

import java.time.Clock;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which events of all runs a command is about. */
final class AuditConditions {
    @Option(names = "--tenant", paramLabel = "NAME", description = "Only of runs of this tenant; may be repeated.")
    private List<String> tenants = new ArrayList<>();

    @Option(names = "--run", paramLabel = "ID", description = "Only of this run; may be repeated.")
    private List<String> runs = new ArrayList<>();

    @Option(names = "--label", paramLabel = "K=V", description = "Only of runs with this label; may be repeated.")
    private List<String> labels = new ArrayList<>();

    @Option(names = "--node", paramLabel = "NAME", description = "Only recorded by this node; may be repeated.")
    private List<String> nodes = new ArrayList<>();

    @Option(names = "--type", paramLabel = "TYPE", split = ",", description = "Only of this type, as RunKilled.")
    private List<String> types = new ArrayList<>();

    @Option(
            names = "--reason",
            paramLabel = "REASON",
            split = ",",
            description = "Only ends of runs that were killed for this reason, as MEMORY.")
    private List<String> reasons = new ArrayList<>();

    @Option(names = "--by", paramLabel = "PRINCIPAL", description = "Only caused by this principal; may be repeated.")
    private List<String> principals = new ArrayList<>();

    @Option(names = "--image", paramLabel = "IMAGE", description = "Only of runs of this image; may be repeated.")
    private List<String> images = new ArrayList<>();

    @Option(
            names = "--since",
            paramLabel = "WHEN",
            description = "Only since an instant, as 2026-01-31T12:00:00Z, or within a time, as 2h.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "WHEN", description = "Only before an instant, or longer ago than a time.")
    private @Nullable String until;

    /** As parameters of the API. */
    List<Map.Entry<String, String>> query(Clock clock) {
        Instant now = clock.instant();
        List<Map.Entry<String, String>> query = new ArrayList<>();
        add(query, "tenant", tenants);
        add(query, "run", runs.stream().map(ServerOption::runId).toList());
        add(query, "label", labels);
        add(query, "node", nodes);
        add(query, "type", types);
        add(query, "reason", reasons);
        add(query, "by", principals);
        add(query, "image", images);
        if (since != null) {
            query.add(parameter("since", When.of("--since", since, now).toString()));
        }
        if (until != null) {
            query.add(parameter("until", When.of("--until", until, now).toString()));
        }
        return query;
    }

    private static void add(List<Map.Entry<String, String>> query, String name, List<String> values) {
        values.forEach(value -> query.add(parameter(name, value)));
    }

    static Map.Entry<String, String> parameter(String name, String value) {
        return new SimpleImmutableEntry<>(name, value);
    }
}
