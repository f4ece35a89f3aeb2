package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.transport.DockerHttpClient;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Ends containers for sure, and finds out how one has ended. All calls block. */
final class ContainerEnd {
    /** How long a container may take to stop after its streams have ended, before it counts as alive. */
    private static final Duration STOPPING_TIME = Duration.ofSeconds(5);
    /** How long the engine may take for a removal that somebody else began, before it is asked again. */
    private static final Duration REMOVAL_TIME = Duration.ofSeconds(10);

    private static final int REMOVAL_TRIES_MAX = 6;
    private static final int FIRST_SIGNAL_STATUS = 128;

    private final Engine engine;
    private final Labels labels;
    private final ContainerProcesses processes = new ContainerProcesses(Path.of("/proc"));

    ContainerEnd(Engine engine, Labels labels) {
        this.engine = engine;
        this.labels = labels;
    }

    /** Kills and removes every container of the sandbox, and returns when they are gone. */
    void removeAll(SandboxId id) {
        for (Container found : list(labels.sandboxFilter(id))) {
            remove(found.getId());
        }
    }

    /** Kills and removes the container, and returns when it is gone. */
    void remove(String container) {
        if (engine.address().isLocal()) {
            processes.kill(container);
        }
        for (int attempt = 1; ; attempt++) {
            try {
                engine.call("destroying the sandbox", client -> client.removeContainerCmd(container)
                        .withForce(true)
                        .withRemoveVolumes(true)
                        .exec());
                return;
            } catch (DriverException failure) {
                if (EngineFailure.isNotFound(failure)) {
                    return;
                }
                if (failure.kind() == DriverException.Kind.ENGINE_UNAVAILABLE || attempt == REMOVAL_TRIES_MAX) {
                    throw failure;
                }
            }
            // Usually a conflict with the engine's own removal of a container that has ended.
            if (awaitRemoved(container)) {
                return;
            }
        }
    }

    List<Container> list(List<String> labelFilter) {
        return engine.call("listing sandboxes", client -> client.listContainersCmd()
                .withShowAll(true)
                .withLabelFilter(labelFilter)
                .exec());
    }

    /**
     * What the end of a container's stream means.
     *
     * @param sampler by which the kernel's kills for memory can be seen, while the control group is still there
     */
    ClosedBecause explain(String container, Optional<Sampler> sampler) {
        if (sampler.filter(ContainerEnd::sawKillForMemory).isPresent()) {
            return new ClosedBecause(Cause.OUT_OF_MEMORY, "The kernel ended the sandbox for its use of memory.");
        }
        try {
            JsonNode status = await(container, "not-running", STOPPING_TIME);
            return new ClosedBecause(
                    Cause.SANDBOX_ENDED, endOf(status.path("StatusCode").asInt()));
        } catch (DriverException failure) {
            return EngineFailure.isNotFound(failure)
                    ? new ClosedBecause(Cause.SANDBOX_ENDED, "The sandbox has ended and is gone.")
                    : new ClosedBecause(
                            Cause.ENGINE_LOST, "The connection to the sandbox broke: " + failure.getMessage());
        }
    }

    private static boolean sawKillForMemory(Sampler sampler) {
        try {
            return sampler.sample().outOfMemoryKills() > 0;
        } catch (IOException | DriverException gone) {
            return false;
        }
    }

    private boolean awaitRemoved(String container) {
        try {
            await(container, "removed", REMOVAL_TIME);
            return true;
        } catch (DriverException failure) {
            return EngineFailure.isNotFound(failure);
        }
    }

    private JsonNode await(String container, String condition, Duration limit) {
        return engine.ask(
                "waiting for the sandbox's end",
                limit,
                DockerHttpClient.Request.Method.POST,
                "/containers/" + container + "/wait?condition=" + condition);
    }

    private static String endOf(int status) {
        return switch (status) {
            case 83 -> "The guest found no place where it can work (exit code 83).";
            case 84 -> "The guest's own clock ended the sandbox (exit code 84).";
            case 85 -> "The guest lost its channel to the node (exit code 85).";
            case 86 -> "The guest did not understand the node (exit code 86).";
            default -> status > FIRST_SIGNAL_STATUS
                    ? "The guest was killed by signal " + (status - FIRST_SIGNAL_STATUS) + "."
                    : "The guest exited with code " + status + ".";
        };
    }
}
