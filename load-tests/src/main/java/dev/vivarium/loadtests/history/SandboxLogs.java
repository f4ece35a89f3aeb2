package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.ContainerProcesses;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The sandboxes of all drivers: what a node says it uses is not relied on. */
final class SandboxLogs implements SandboxLog {
    private final Map<Driver, SandboxLog> logs = new EnumMap<>(Driver.class);

    /**
     * Starts recording, before the nodes' installation exists.
     *
     * @param engine the nodes' container engine
     */
    SandboxLogs(EngineApi engine) throws IOException {
        logs.put(Driver.DOCKER, new EngineLog(engine));
        logs.put(Driver.OCI, new KernelLog());
    }

    private SandboxLog of(SandboxLife sandbox) {
        return Optional.ofNullable(logs.get(sandbox.driver())).orElseThrow();
    }

    @Override
    public List<SandboxLife> sandboxes(Set<String> runs) throws IOException {
        List<SandboxLife> all = new ArrayList<>();
        for (SandboxLog log : logs.values()) {
            all.addAll(log.sandboxes(runs));
        }
        return all;
    }

    @Override
    public Optional<Instant> removed(SandboxLife sandbox) {
        return of(sandbox).removed(sandbox);
    }

    @Override
    public List<String> left(Set<String> runs) throws IOException {
        List<String> left = new ArrayList<>();
        for (SandboxLog log : logs.values()) {
            left.addAll(log.left(runs));
        }
        return left;
    }

    @Override
    public ContainerProcesses processes(SandboxLife sandbox) throws IOException {
        return of(sandbox).processes(sandbox);
    }

    @Override
    public void close() throws IOException {
        for (SandboxLog log : logs.values()) {
            log.close();
        }
    }
}
