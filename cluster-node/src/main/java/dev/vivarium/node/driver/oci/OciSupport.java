package dev.vivarium.node.driver.oci;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;

/** Whether this machine can run sandboxes without an engine: a check, or the driver itself. */
public sealed interface OciSupport {
    /**
     * A working driver.
     *
     * @param driver the driver
     * @param how the runtimes that it uses, as a clause
     */
    record Works(SandboxDriver driver, String how) implements OciSupport {}

    /**
     * The machine cannot.
     *
     * @param why the reason, as a clause
     */
    record Not(String why) implements OciSupport {}

    /** What a machine has for the driver. */
    sealed interface Survey {}

    /**
     * It has a runtime.
     *
     * @param runtimes one for each isolation class that is there
     * @param how the runtimes, as a clause
     */
    record Usable(List<OciRuntime> runtimes, String how) implements Survey {
        public Usable {
            runtimes = List.copyOf(runtimes);
        }
    }

    /**
     * The driver cannot be used.
     *
     * @param why the reason, as a clause
     */
    record Unusable(String why) implements Survey {}

    /** Looks for what the driver needs and opens nothing; blocks while runtimes print their versions. */
    static Survey survey(OciDriverConfig config) {
        Optional<String> objection = objection(config);
        if (objection.isPresent()) {
            return new Unusable(objection.get());
        }
        OciRuntime.Search container = search(Isolation.CONTAINER, config);
        if (container instanceof OciRuntime.Missing missing) {
            return new Unusable(missing.why());
        }
        List<OciRuntime> runtimes = new ArrayList<>(container.runtime().stream().toList());
        OciRuntime.Search gvisor = search(Isolation.GVISOR, config);
        gvisor.runtime().ifPresent(runtimes::add);
        String how = runtimes.stream().map(OciRuntime::toString).collect(Collectors.joining(" and "));
        return new Usable(
                runtimes, gvisor instanceof OciRuntime.Missing none ? how + "; no gvisor: " + none.why() : how);
    }

    /**
     * Opens the driver if this machine supports it, blocking.
     *
     * @param blocking executor of its blocking work
     */
    static OciSupport open(OciDriverConfig config, Executor blocking, NodeClock clock) {
        Survey survey = survey(config);
        if (survey instanceof Unusable unusable) {
            return new Not(unusable.why());
        }
        Usable usable = (Usable) survey;
        try {
            return new Works(OciDriver.open(config, usable.runtimes(), blocking, clock), usable.how());
        } catch (IOException broken) {
            return new Not(String.valueOf(broken.getMessage()));
        }
    }

    private static OciRuntime.Search search(Isolation isolation, OciDriverConfig config) {
        return OciRuntime.search(
                isolation, Optional.ofNullable(config.runtimes().get(isolation)), config.startTimeout());
    }

    private static Optional<String> objection(OciDriverConfig config) {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.of("this machine does not run Linux");
        }
        if (!isRoot(Path.of("/proc/self/status"))) {
            return Optional.of("the node is not root");
        }
        if (!EngineImages.isLocal(config.engine())) {
            return Optional.of("the container engine is on another machine ("
                    + config.engine().engine() + ")");
        }
        try {
            return InheritedLimits.of(Path.of("/proc/self")).objection();
        } catch (IOException unreadable) {
            return Optional.of("the node's own limits cannot be read: " + unreadable.getMessage());
        }
    }

    private static boolean isRoot(Path status) {
        try {
            return Files.readAllLines(status).stream().anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
        } catch (IOException unreadable) {
            return false;
        }
    }
}
