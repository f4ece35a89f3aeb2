package dev.vivarium.loadtests;

import dev.vivarium.loadtests.subject.Workload;
import java.util.List;
import picocli.CommandLine.Parameters;

/** The workload of each sandbox. */
final class WorkloadOptions {
    @Parameters(
            arity = "0..*",
            paramLabel = "COMMAND",
            description = "The command, after --; it must print something and end (default: echo ready).")
    private List<String> command = List.of();

    Workload workload(String image) {
        return new Workload(image, command.isEmpty() ? List.of("echo", "ready") : command);
    }
}
