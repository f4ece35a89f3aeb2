package dev.vivarium.loadtests;

import dev.vivarium.loadtests.subject.Workload;
import java.util.List;
import picocli.CommandLine.Parameters;

/** What is run in each sandbox. */
final class WorkloadOptions {
    @Parameters(
            arity = "0..*",
            paramLabel = "COMMAND",
            description = "The command, after --; it prints something and ends (default: echo ready).")
    private List<String> command = List.of();

    Workload workload(String image) {
        return new Workload(image, command.isEmpty() ? List.of("echo", "ready") : command);
    }
}
