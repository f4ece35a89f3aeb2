package dev.vivarium.loadtests;

import dev.vivarium.loadtests.gatling.RunsSimulation;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench gatling}. */
@Command(
        name = "gatling",
        description = {
            "Load on the HTTP API at a constant rate: submissions with idempotency keys, some of them repeated, reads,",
            "and events followed to their end. Exits with 0 only when no answer was wrong and every accepted run ended."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class GatlingCommand implements Callable<Integer> {
    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Option(names = "--rate", defaultValue = "2", description = "Submissions per second (default: ${DEFAULT-VALUE}).")
    private double rate = 2;

    @Option(names = "--seconds", defaultValue = "30", description = "Duration of the load (default: ${DEFAULT-VALUE}).")
    private int seconds = 30;

    @Override
    public Integer call() throws IOException {
        Path root = Path.of(System.getProperty("vivarium.root", ".")).toAbsolutePath();
        try (NodeOption.Lease lease = node.lease(setting)) {
            // A separate process, since Gatling ends its JVM.
            Process gatling = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--add-opens=java.base/java.lang=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            // Where the token of this machine's operator is.
                            "-Dvivarium.root=" + root,
                            "-D" + RunsSimulation.URL + "=" + lease.uri(),
                            "-D" + RunsSimulation.RATE + "=" + rate,
                            "-D" + RunsSimulation.SECONDS + "=" + seconds,
                            "-D" + RunsSimulation.IMAGE + "=" + setting.image(),
                            "io.gatling.app.Gatling",
                            "--simulation",
                            RunsSimulation.class.getName(),
                            "--results-folder",
                            root.resolve("load-tests/target/gatling").toString())
                    .inheritIO()
                    .start();
            return gatling.waitFor();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
