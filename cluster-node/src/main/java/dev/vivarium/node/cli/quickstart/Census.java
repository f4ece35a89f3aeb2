package dev.vivarium.node.cli.quickstart;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Event;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import dev.vivarium.node.RunningNode.SandboxLabel;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Counts sandboxes and their processes from outside: it asks the engine and the kernel, and never the node. From its
 * start on it writes down every container with the label, so that it can look for the processes of those, too, that the
 * engine no longer knows.
 */
public final class Census implements AutoCloseable {
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(20);

    private final SandboxLabel label;
    private final DockerClientConfig config;
    private final DockerClient engine;
    private final Set<String> containers = ConcurrentHashMap.newKeySet();
    private final ResultCallback.Adapter<Event> births;

    /** Begins to write down what is made. */
    public Census(SandboxLabel label) {
        this.label = label;
        this.config = DefaultDockerClientConfig.createDefaultConfigBuilder().build();
        this.engine = DockerClientImpl.getInstance(
                config,
                new ZerodepDockerHttpClient.Builder()
                        .dockerHost(config.getDockerHost())
                        .sslConfig(config.getSSLConfig())
                        .connectionTimeout(ANSWER_TIMEOUT)
                        .build());
        this.births = engine.eventsCmd()
                .withLabelFilter(Map.of(label.key(), label.value()))
                .withEventFilter("create")
                .exec(new ResultCallback.Adapter<>() {
                    @Override
                    public void onNext(Event event) {
                        if (event.getId() != null) {
                            containers.add(event.getId());
                        }
                    }
                });
    }

    /** How many sandboxes there have been. */
    public int sandboxesSeen() {
        return containers.size();
    }

    /** Counts what is there now. */
    public Leftovers count() throws IOException {
        List<String> living =
                engine
                        .listContainersCmd()
                        .withShowAll(true)
                        .withLabelFilter(Map.of(label.key(), label.value()))
                        .exec()
                        .stream()
                        .map(container -> container.getId())
                        .toList();
        containers.addAll(living);
        boolean local = "unix".equals(config.getDockerHost().getScheme());
        return new Leftovers(living.size(), local ? OptionalInt.of(processes()) : OptionalInt.empty());
    }

    /** A container's control group has the container's id in its path, whatever manages the groups. */
    private int processes() throws IOException {
        int count = 0;
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (isOurs(process)) {
                    count++;
                }
            }
        }
        return count;
    }

    private boolean isOurs(Path process) {
        try {
            String groups = Files.readString(process.resolve("cgroup"));
            return containers.stream().anyMatch(groups::contains);
        } catch (IOException gone) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        births.close();
        engine.close();
    }
}
