package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.MachineFacts;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
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

    private String loadBefore = "";
    private Optional<Driver> driver = Optional.empty();

    String image() {
        return image;
    }

    Map<String, String> environment() {
        return System.getenv();
    }

    /** The environment's engine, after printing the machine's facts and recording its load. */
    EngineApi engine() throws IOException {
        EngineApi engine = EngineApi.of(environment());
        print(MachineFacts.of(engine.facts()));
        loadBefore = MachineFacts.load();
        return engine;
    }

    /**
     * Notes and prints what makes the sandboxes of a node that is measured.
     *
     * @throws IOException when an earlier node of this benchmark had another driver, so that nothing could be compared
     */
    void driver(Driver used) throws IOException {
        if (driver.isEmpty()) {
            print("driver   " + used.word() + "\n");
        } else if (driver.get() != used) {
            throw new IOException("One node uses the driver " + driver.get().word() + " and another one " + used.word()
                    + "; choose one with --driver.");
        }
        driver = Optional.of(used);
    }

    /** The line above the table that shows how busy the machine was. */
    void printLoad() {
        print("load     " + loadBefore + " before, " + MachineFacts.load() + " after (1 minute)\n");
    }

    void print(String text) {
        spec.commandLine().getOut().print(text);
        spec.commandLine().getOut().flush();
    }

    /** Progress of a long benchmark, for the person waiting; not part of the report. */
    void progress(String line) {
        spec.commandLine().getErr().println(line);
    }

    ParameterException refusal(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
