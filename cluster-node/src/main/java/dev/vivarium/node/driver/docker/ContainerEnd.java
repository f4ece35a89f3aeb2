package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.api.command.ListContainersCmd;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.transport.DockerHttpClient;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.guest.GuestExit;
import dev.vivarium.node.driver.linux.ContainerProcesses;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends containers reliably, and determines how one ended. All calls block. */
final class ContainerEnd {
    private static final Logger LOG = LoggerFactory.getLogger(ContainerEnd.class);
    /** How long a container may take to stop after its streams have ended, before it counts as alive. */
    private static final Duration STOPPING_TIME = Duration.ofSeconds(5);
    /** How long to wait for a removal that is already in progress, before asking again. */
    private static final Duration REMOVAL_TIME = Duration.ofSeconds(10);

    private static final int REMOVAL_TRIES_MAX = 6;

    private final Engine engine;
    private final Labels labels;
    private final NodeClock clock;
    private final ContainerProcesses processes = new ContainerProcesses(Path.of("/proc"));

    ContainerEnd(Engine engine, Labels labels, NodeClock clock) {
        this.engine = engine;
        this.labels = labels;
        this.clock = clock;
    }

    /** Kills and removes every container of the sandbox, and returns when they are gone. */
    void removeAll(SandboxId id) {
        for (Container found : list(labels.sandboxFilter(id))) {
            kill(found.getId());
        }
    }

    /** Kills and removes the container, and returns when it is gone. */
    void kill(String container) {
        remove(container, engine.address().isLocal() && processes.kill(container));
    }

    /**
     * Removes the container, and returns when it is gone.
     *
     * @param killed whether it has been killed. The engine removes by itself what has ended, for less than it costs to
     *     have it killed first
     */
    void remove(String container, boolean killed) {
        if (killed && awaitRemoved(container)) {
            return;
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
            // Usually a conflict with the engine's own removal of an ended container.
            if (awaitRemoved(container)) {
                return;
            }
        }
    }

    List<Container> list(List<String> labelFilter) {
        return list(labelFilter, UnaryOperator.identity());
    }

    /** The same, limited to matching names, which the engine finds without inspecting other containers. */
    List<Container> list(List<String> labelFilter, String name) {
        return list(labelFilter, listing -> listing.withNameFilter(List.of(name)));
    }

    private List<Container> list(List<String> labelFilter, UnaryOperator<ListContainersCmd> narrowed) {
        return engine.call("listing sandboxes", client -> narrowed.apply(
                        client.listContainersCmd().withShowAll(true).withLabelFilter(labelFilter))
                .exec());
    }

    /** Interprets the end of a container's stream. */
    ClosedBecause explain(String container) {
        String end;
        try {
            JsonNode status = await(container, "not-running", STOPPING_TIME);
            end = GuestExit.sentence(status.path("StatusCode").asInt());
        } catch (DriverException failure) {
            if (!EngineFailure.isNotFound(failure)) {
                return new ClosedBecause(
                        Cause.ENGINE_LOST, "The connection to the sandbox broke: " + failure.getMessage());
            }
            end = "The sandbox has ended and is gone.";
        }
        return wasKilledForMemory(container)
                ? new ClosedBecause(Cause.OUT_OF_MEMORY, "The kernel killed for memory. " + end)
                : new ClosedBecause(Cause.SANDBOX_ENDED, end);
    }

    /**
     * Whether a process in it was killed for lack of memory. The control group and the container are gone within 40 ms
     * of such an end; what remains is the engine's list of its last 256 events.
     */
    private boolean wasKilledForMemory(String container) {
        Instant now = clock.now();
        String filters = "{\"container\":[\"" + container + "\"],\"event\":[\"oom\"]}";
        try {
            return engine.ask(
                            "asking how the sandbox ended",
                            STOPPING_TIME,
                            DockerHttpClient.Request.Method.GET,
                            "/events?since=0&until=%d.%09d&filters=%s"
                                    .formatted(
                                            now.getEpochSecond(),
                                            now.getNano(),
                                            URLEncoder.encode(filters, StandardCharsets.UTF_8)))
                    .has("Action");
        } catch (DriverException unanswered) {
            LOG.debug("How {} ended is unknown: {}", container, unanswered.getMessage());
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
}
