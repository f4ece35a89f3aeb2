package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.InspectImageResponse;
import com.github.dockerjava.api.model.ContainerConfig;
import com.github.dockerjava.api.model.PullResponseItem;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.docker.DockerDriverConfig.PullPolicy;
import dev.vivarium.protocol.run.ImageRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds images on the engine, or pulls them where allowed, and refuses those that cannot be used for sandboxes. */
final class Images {
    private static final Logger LOG = LoggerFactory.getLogger(Images.class);

    private final Engine engine;
    private final PullPolicy pullPolicy;
    private final Duration pullTimeout;

    Images(Engine engine, PullPolicy pullPolicy, Duration pullTimeout) {
        this.engine = engine;
        this.pullPolicy = pullPolicy;
        this.pullTimeout = pullTimeout;
    }

    /** The name as a reference; refused when it is none. */
    static ImageRef reference(String name) {
        try {
            return new ImageRef(name);
        } catch (IllegalArgumentException none) {
            // Accepted by an older version with a wider grammar.
            throw new DriverException(DriverException.Kind.IMAGE_REFUSED, String.valueOf(none.getMessage()), none);
        }
    }

    /**
     * The image that currently has this name. Sandboxes are created from its id, so that the checked image is the one
     * started even if the name is moved meanwhile.
     */
    UsableImage usable(ImageRef name) {
        InspectImageResponse image = find(name)
                .or(() -> {
                    fetch(name);
                    return find(name);
                })
                .orElseThrow(() -> unavailable(name, "its registry did not deliver it"));
        String os = image.getOs();
        if (os != null && !os.isEmpty() && !os.equals("linux")) {
            throw refused(name, "it is made for " + os + ", and sandboxes run Linux.");
        }
        ContainerConfig config = image.getConfig();
        Map<String, ?> volumes = config == null ? null : config.getVolumes();
        if (volumes != null && !volumes.isEmpty()) {
            // The engine would give each volume its own writable storage without a disk limit.
            throw refused(
                    name,
                    "it declares volumes (" + String.join(", ", volumes.keySet())
                            + "). Build it without VOLUME; /workspace and /tmp are writable.");
        }
        String id = image.getId();
        if (id == null) {
            throw refused(name, "the engine gives it no id.");
        }
        return new UsableImage(id, environment(Optional.ofNullable(config)));
    }

    /** Splits NAME=value; entries without '=' cannot be environment variables. */
    private static Map<String, String> environment(Optional<ContainerConfig> config) {
        Map<String, String> variables = new TreeMap<>();
        for (String variable : config.map(ContainerConfig::getEnv).map(List::of).orElse(List.of())) {
            int equals = variable.indexOf('=');
            if (equals > 0) {
                variables.put(variable.substring(0, equals), variable.substring(equals + 1));
            }
        }
        return variables;
    }

    private Optional<InspectImageResponse> find(ImageRef name) {
        try {
            return Optional.of(engine.call("looking for the image", client -> client.inspectImageCmd(name.value())
                    .exec()));
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                return Optional.empty();
            }
            throw failure;
        }
    }

    private void fetch(ImageRef name) {
        if (pullPolicy == PullPolicy.NEVER) {
            throw unavailable(name, "and it may not be pulled (vivarium.driver.docker.pull is NEVER)");
        }
        LOG.info("Fetching image {}", name.value());
        try {
            boolean done = engine.call("fetching the image", pullTimeout.plusSeconds(1), client -> {
                try (ResultCallback.Adapter<PullResponseItem> pull =
                        client.pullImageCmd(name.withTag().value()).start()) {
                    return pull.awaitCompletion(pullTimeout.toMillis(), TimeUnit.MILLISECONDS);
                } catch (InterruptedException | java.io.IOException interrupted) {
                    throw new IllegalStateException(interrupted);
                }
            });
            if (!done) {
                throw unavailable(name, "and pulling it took longer than " + pullTimeout.toSeconds() + " s");
            }
        } catch (DriverException failure) {
            if (failure.kind() == DriverException.Kind.REFUSED) {
                throw new DriverException(
                        DriverException.Kind.IMAGE_UNAVAILABLE,
                        "The image " + name.value() + " could not be pulled. " + failure.getMessage(),
                        failure);
            }
            throw failure;
        }
    }

    private static DriverException unavailable(ImageRef name, String why) {
        return new DriverException(
                DriverException.Kind.IMAGE_UNAVAILABLE,
                "The container engine has no image " + name.value() + ", " + why
                        + ". Pull or build it on the node's engine, or correct the name.");
    }

    private static DriverException refused(ImageRef name, String why) {
        return new DriverException(
                DriverException.Kind.IMAGE_REFUSED, "The image " + name.value() + " cannot be used: " + why);
    }
}
