package dev.vivarium.loadtests;

import dev.vivarium.loadtests.subject.Driver;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What makes the sandboxes of the nodes that are started for the benchmark. */
final class DriverOption {
    @Option(
            names = "--driver",
            paramLabel = "oci|docker",
            description = "What makes the sandboxes of all nodes (default: as the nodes decide).")
    private @Nullable Driver driver;

    Optional<Driver> chosen() {
        return Optional.ofNullable(driver);
    }

    /** The nodes' configuration for it. */
    Map<String, String> settings() {
        return chosen().map(Driver::settings).orElse(Map.of());
    }
}
