package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.MachineFacts;
import dev.vivarium.loadtests.subject.EngineApi;
import java.io.IOException;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all benchmarks stand in: the machine, its engine, the image, and the terminal that figures go to. */
final class Setting {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    @Option(names = "--image", defaultValue = "vivarium/python", description = "The image (default: ${DEFAULT-VALUE}).")
    private String image = "vivarium/python";

    private String loadBefore = "";

    String image() {
        return image;
    }

    Map<String, String> environment() {
        return System.getenv();
    }

    /** The engine of this environment, once the machine has been described and its load noted. */
    EngineApi engine() throws IOException {
        EngineApi engine = EngineApi.of(environment());
        print(MachineFacts.of(engine.facts()));
        loadBefore = MachineFacts.load();
        return engine;
    }

    /** One line to stand above the table: how crowded the machine was. */
    void printLoad() {
        print("load     " + loadBefore + " before, " + MachineFacts.load() + " after (1 minute)\n");
    }

    void print(String text) {
        spec.commandLine().getOut().print(text);
        spec.commandLine().getOut().flush();
    }

    /** Where a benchmark of minutes stands, for whoever waits; no part of the report. */
    void progress(String line) {
        spec.commandLine().getErr().println(line);
    }

    ParameterException refusal(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
