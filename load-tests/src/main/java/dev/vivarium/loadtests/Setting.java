package dev.vivarium.loadtests;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.loadtests.report.Commit;
import dev.vivarium.loadtests.report.MachineFacts;
import dev.vivarium.loadtests.report.TableReader;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The setting of every benchmark: the machine, its engine, the image, and the terminal. */
final class Setting {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    @Option(names = "--image", defaultValue = "vivarium/python", description = "The image (default: ${DEFAULT-VALUE}).")
    private String image = "vivarium/python";

    @Option(
            names = "--results",
            paramLabel = "FILE",
            description = "The file that the results are appended to, as a line of JSON (default: "
                    + "load-tests/results/BENCHMARK.jsonl).")
    private @Nullable Path results;

    private final StringBuilder report = new StringBuilder();
    private String commit = "";
    private String engineFacts = "";
    private String loadBefore = "";
    private Optional<String> driver = Optional.empty();

    String image() {
        return image;
    }

    Map<String, String> environment() {
        return System.getenv();
    }

    /** The environment's engine, after printing the machine's facts and recording its load. */
    EngineApi engine() throws IOException {
        EngineApi engine = EngineApi.of(environment());
        engineFacts = engine.facts();
        printMachine("engine   " + engineFacts + "\n");
        return engine;
    }

    /** Prints the machine's facts and records its load, for benchmarks that need no engine. */
    void machine() {
        printMachine("");
    }

    private void printMachine(String engineLine) {
        print("machine  " + MachineFacts.machine() + "\n" + engineLine + "JDK      " + MachineFacts.java() + "\n");
        loadBefore = MachineFacts.load();
    }

    /**
     * Notes and prints what makes the sandboxes of a node that is measured.
     *
     * @throws IOException when an earlier node of this benchmark had another driver, so that nothing could be compared
     */
    void driver(Driver used) throws IOException {
        driver(used.word());
    }

    /** The same for nodes that start nothing. */
    void idleDriver() throws IOException {
        driver("idle");
    }

    private void driver(String used) throws IOException {
        if (driver.isEmpty()) {
            print("driver   " + used + "\n");
        } else if (!driver.get().equals(used)) {
            throw new IOException("One node uses the driver " + driver.get() + " and another one " + used
                    + "; choose one with --driver.");
        }
        driver = Optional.of(used);
    }

    /** The line above the table that shows how busy the machine was. */
    void printLoad() {
        print("load     " + loadBefore + " before, " + MachineFacts.load() + " after (1 minute)\n");
    }

    void print(String text) {
        if (report.isEmpty()) {
            // At the beginning, since the sources may change while it runs.
            commit = Commit.of(root());
        }
        report.append(text);
        spec.commandLine().getOut().print(text);
        spec.commandLine().getOut().flush();
    }

    /** Progress of a long benchmark, for the person waiting; not part of the report. */
    void progress(String line) {
        spec.commandLine().getErr().println(line);
    }

    /**
     * Appends the results of a benchmark that was carried out.
     *
     * @param exitCode its exit code
     */
    void keep(int exitCode) throws IOException {
        if (report.isEmpty()) {
            return;
        }
        Path file = results == null ? root().resolve("load-tests/results/" + spec.name() + ".jsonl") : results;
        ObjectNode line = ApiJson.object()
                .put("at", Instant.now().toString())
                .put("benchmark", spec.name())
                .put("commit", commit)
                .put("machine", MachineFacts.machine())
                .put("engine", engineFacts)
                .put("java", MachineFacts.java())
                .put("driver", driver.orElse("unknown"))
                .put("loadBefore", loadBefore)
                .put("loadAfter", MachineFacts.load())
                .put("exitCode", exitCode);
        spec.commandLine().getParseResult().originalArgs().forEach(line.withArray("arguments")::add);
        line.set("tables", TableReader.tables(report.toString()));
        line.put("report", report.toString());
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(
                file,
                ApiJson.line(line) + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    private static Path root() {
        return Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
    }

    ParameterException refusal(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
