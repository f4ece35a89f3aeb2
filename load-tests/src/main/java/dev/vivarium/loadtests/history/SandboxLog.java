package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.ContainerProcesses;
import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A record of sandboxes, taken from outside of the nodes. A machine may serve several installations; each has its own. */
interface SandboxLog extends Closeable {
    /** All sandboxes so far of the installation that these runs are of. */
    List<SandboxLife> sandboxes(Set<String> runs) throws IOException;

    /** When all of a sandbox had been removed; empty if it has not, or if that could not be seen. */
    Optional<Instant> removed(SandboxLife sandbox);

    /** What is left of sandboxes of the installation that these runs are of. */
    List<String> left(Set<String> runs) throws IOException;

    /** The processes of a live sandbox; to be closed. */
    ContainerProcesses processes(SandboxLife sandbox) throws IOException;

    /** Those of several, by the sandboxes' ids. */
    default Map<String, ContainerProcesses> processes(List<SandboxLife> sandboxes) throws IOException {
        Map<String, ContainerProcesses> processes = new HashMap<>();
        for (SandboxLife sandbox : sandboxes) {
            processes.put(sandbox.id(), this.processes(sandbox));
        }
        return processes;
    }
}
