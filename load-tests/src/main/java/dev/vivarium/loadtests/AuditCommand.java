package dev.vivarium.loadtests;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.loadtests.report.Figures;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.loadtests.subject.AuditProbe;
import dev.vivarium.loadtests.subject.SubmissionTrial;
import dev.vivarium.loadtests.subject.VerificationProbe;
import dev.vivarium.loadtests.subject.Workload;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.trials.outside.NodeProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench audit}. */
@Command(
        name = "audit",
        description = {
            "The audit over all runs of one node, on its embedded store: how soon queries are answered, a run's proof is",
            "made and an event reaches a reader, how fast events get their places in the order, and how fast all of them",
            "are exported and verified offline. The events are those of real submissions to a node that starts nothing."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AuditCommand implements Callable<Integer> {
    /** More than are ever live, so that nothing is refused. */
    private static final Map<String, String> STARTS_NOTHING =
            Map.of("vivarium.driver.kind", "idle", "vivarium.run.live-max", "100000");

    private static final String LOG = "vivarium.dev/bench";
    private static final int IN_FLIGHT = 64;
    private static final Duration TAILED = Duration.ofSeconds(10);
    private static final double NANOS_PER_SECOND = 1e9;

    @Mixin
    private final Setting setting = new Setting();

    @Option(
            names = "--fill",
            defaultValue = "120",
            description = "Seconds of submissions before anything is asked (default: ${DEFAULT-VALUE}).")
    private int fillSeconds = 120;

    @Option(
            names = "--rounds",
            defaultValue = "200",
            description = "Requests of each kind (default: ${DEFAULT-VALUE}).")
    private int rounds = 200;

    /**
     * What was measured beside queries.
     *
     * @param events how many events there were
     * @param filling how long the submissions took whose events these are
     * @param behind how much later the last event had its place
     * @param exporting how long the export took
     * @param bytes its size
     * @param verifying how long its verification took, by code that has not run before
     */
    record Whole(long events, Duration filling, Duration behind, Duration exporting, long bytes, Duration verifying) {}

    @Override
    public Integer call() throws IOException {
        if (fillSeconds < 1 || rounds < 1) {
            throw setting.refusal("--fill and --rounds must be at least 1.");
        }
        setting.machine();
        setting.idleDriver();
        Path folder = Files.createTempDirectory("vivarium-bench-audit-");
        Path keys = folder.resolve("log.key");
        Path exported = folder.resolve("export.ndjson");
        try {
            Files.writeString(
                    Files.createFile(
                            keys, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))),
                    LogKey.create(LOG).text() + "\n");
            measure(keys, exported);
        } finally {
            Files.deleteIfExists(exported);
            Files.deleteIfExists(keys);
            Files.deleteIfExists(folder);
        }
        return 0;
    }

    private void measure(Path keys, Path exported) throws IOException {
        Map<String, String> config = new HashMap<>(STARTS_NOTHING);
        config.put("vivarium.audit.log.key-file", keys.toString());
        try (NodeProcess node = NodeOption.startIdle(setting, config)) {
            SubmissionTrial submissions =
                    SubmissionTrial.withToken(node.uri(), node.pid(), new Workload(setting.image(), List.of("true")));
            AuditProbe audit = new AuditProbe(node.uri());
            setting.progress("submitting for " + fillSeconds + " s");
            Instant began = Instant.now();
            Duration filling = submissions
                    .submit(IN_FLIGHT, Duration.ofSeconds(fillSeconds))
                    .ending();
            long ended = System.nanoTime();
            long events = audit.awaitOrdered();
            Duration behind = Duration.ofNanos(System.nanoTime() - ended);

            setting.progress("asking");
            Map<String, Series> answers = new LinkedHashMap<>();
            for (Map.Entry<String, List<Map.Entry<String, String>>> query :
                    queries(audit, began).entrySet()) {
                answers.put(query.getKey(), audit.pages(query.getValue(), rounds));
            }
            answers.put("a run's proof", audit.proofs(runs(audit)));
            setting.progress("following");
            answers.put("event to reader, 16 submissions at once", audit.tail(() -> submissions.submit(16, TAILED)));
            setting.progress("exporting");
            long all = audit.awaitOrdered();
            Duration exporting = audit.export(exported);
            Duration verifying = VerificationProbe.verify(
                    exported,
                    LogKeys.parse(Files.readString(keys, StandardCharsets.UTF_8))
                            .verifiers(),
                    Runtime.getRuntime().availableProcessors());
            setting.printLoad();
            setting.print(events + " events, PostgreSQL; " + rounds + " requests of each kind, one after another\n\n");
            setting.print(table(answers));
            setting.print("\n");
            setting.print(table(new Whole(events, filling, behind, exporting, Files.size(exported), verifying), all));
        }
    }

    /** What operators ask for; one of each kind of filter, and one that finds nothing. */
    private static Map<String, List<Map.Entry<String, String>>> queries(AuditProbe audit, Instant began)
            throws IOException {
        JsonNode newest =
                audit.page(List.of(Map.entry("limit", "1"))).path("events").path(0);
        String run = newest.path("run").asText();
        Map<String, List<Map.Entry<String, String>>> queries = new LinkedHashMap<>();
        queries.put("the newest", List.of());
        queries.put("the oldest", List.of(Map.entry("order", "oldest")));
        queries.put("of a run", List.of(Map.entry("run", run)));
        queries.put(
                "of a tenant", List.of(Map.entry("tenant", newest.path("tenant").asText())));
        queries.put("of a label", List.of(Map.entry("label", "purpose=benchmark")));
        queries.put("of a type", List.of(Map.entry("type", newest.path("type").asText())));
        queries.put("of a node", List.of(Map.entry("node", newest.path("node").asText())));
        queries.put(
                "of an image", List.of(Map.entry("image", newest.path("image").asText())));
        queries.put(
                "of a minute",
                List.of(
                        Map.entry("since", began.toString()),
                        Map.entry("until", began.plusSeconds(60).toString())));
        queries.put("kills for memory: none", List.of(Map.entry("reason", "MEMORY")));
        queries.put("of a tenant that has none", List.of(Map.entry("tenant", "nobody")));
        return queries;
    }

    private List<String> runs(AuditProbe audit) throws IOException {
        Set<String> runs = new LinkedHashSet<>();
        JsonNode page = audit.page(List.of(Map.entry("limit", "500")));
        page.path("events").forEach(event -> runs.add(event.path("run").asText()));
        List<String> some = new ArrayList<>(runs);
        return some.subList(0, Math.min(rounds, some.size()));
    }

    static String table(Map<String, Series> answers) {
        TextTable table = new TextTable("ms", "p50", "p90", "p99", "max");
        answers.forEach((name, times) -> table.row(
                name,
                Figures.millis(times.percentile(50)),
                Figures.millis(times.percentile(90)),
                Figures.millis(times.percentile(99)),
                Figures.millis(times.max())));
        return table.render();
    }

    /** @param exported how many events were exported */
    static String table(Whole whole, long exported) {
        TextTable table = new TextTable(
                "journaled/s", "behind at the end, ms", "exported/s", "bytes exported an event", "verified/s");
        table.row(
                rate(whole.events(), whole.filling()),
                Figures.millis(whole.behind()),
                rate(exported, whole.exporting()),
                Long.toString(whole.bytes() / exported),
                rate(exported, whole.verifying()));
        return table.render();
    }

    private static String rate(long count, Duration time) {
        return String.format(Locale.ROOT, "%.0f", count / (time.toNanos() / NANOS_PER_SECOND));
    }
}
