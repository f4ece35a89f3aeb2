package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.transport.DockerHttpClient;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxSample;
import dev.vivarium.node.driver.container.ContainerSandbox;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Measures containers of an engine on another machine, by asking it. All its calls block.
 *
 * @param engine the engine
 * @param responseTimeout how long it may take to answer
 */
record EngineSampler(Engine engine, Duration responseTimeout) {
    SandboxSample sample(SandboxId id, String container) {
        var stats = notFoundAsUnknown(
                id,
                () -> engine.ask(
                        "measuring the sandbox",
                        responseTimeout,
                        DockerHttpClient.Request.Method.GET,
                        "/containers/" + container + "/stats?stream=false&one-shot=true"));
        Boolean outOfMemory = inspect(id, container).getState().getOOMKilled();
        return EngineStats.sample(stats, Boolean.TRUE.equals(outOfMemory));
    }

    private InspectContainerResponse inspect(SandboxId id, String container) {
        return notFoundAsUnknown(
                id,
                () -> engine.call("looking at the sandbox", client -> client.inspectContainerCmd(container)
                        .exec()));
    }

    private static <T> T notFoundAsUnknown(SandboxId id, Supplier<T> call) {
        try {
            return call.get();
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                throw ContainerSandbox.unknown(id);
            }
            throw failure;
        }
    }
}
