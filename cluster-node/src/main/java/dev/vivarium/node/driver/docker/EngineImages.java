package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.HostConfig;
import dev.vivarium.node.driver.DriverException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of an engine, for a driver that uses the engine only for images. All calls block. */
public final class EngineImages implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EngineImages.class);
    private static final int SHORT_ID = 24;

    private final Engine engine;
    private final Images images;
    private final Labels labels;
    private boolean swept;

    /**
     * A usable image.
     *
     * @param id the engine's id of it, which is immutable: {@code sha256:} and 64 hexadecimal digits
     * @param environment its environment
     */
    public record Image(String id, Map<String, String> environment) {
        public Image {
            environment = Map.copyOf(environment);
        }
    }

    /** Reads an archive as a stream. */
    public interface Reader {
        /**
         * Reads the whole archive.
         *
         * @throws IOException when the archive cannot be read; other failures are a {@link DriverException}
         */
        void read(InputStream archive) throws IOException;
    }

    /** @param config how to connect to the engine, which need not be running yet */
    public EngineImages(DockerDriverConfig config) {
        this.engine = new Engine(EngineAddress.of(config.engine()), config.connectTimeout(), config.responseTimeout());
        this.images = new Images(engine, config.pullPolicy(), config.pullTimeout());
        this.labels = new Labels(config);
    }

    /** Whether the engine of this configuration is on this machine. */
    public static boolean isLocal(DockerDriverConfig config) {
        return EngineAddress.of(config.engine()).isLocal();
    }

    /** The image that currently has this name, pulled if it may be. */
    public Image usable(String name) {
        sweepOnce();
        UsableImage image = images.usable(Images.reference(name));
        return new Image(image.id(), image.environment());
    }

    /**
     * Exports all files of an image as a tar archive.
     *
     * @param limit how long it may take
     */
    public void unpack(String id, Duration limit, Reader reader) {
        // A distinct name, so that a container left by a crash is found by the next attempt.
        String name = labels.unpackingName(id.substring(id.indexOf(':') + 1, Math.min(id.length(), SHORT_ID)));
        remove(name);
        try {
            createUnstarted(id, name);
            boolean unused = engine.call("unpacking the image", limit, client -> {
                try (InputStream archive = client.exportContainerCmd(name).exec()) {
                    reader.read(archive);
                    return true;
                } catch (IOException unreadable) {
                    throw new UncheckedIOException(unreadable);
                }
            });
        } finally {
            remove(name);
        }
    }

    /**
     * Removes the containers of images that this node was unpacking when it died, before it unpacks others: they would keep
     * the images on the engine.
     */
    private synchronized void sweepOnce() {
        if (swept) {
            return;
        }
        engine.call("looking for what an earlier start left", client -> client.listContainersCmd()
                        .withShowAll(true)
                        .withNameFilter(List.of(labels.unpackingNames()))
                        .exec())
                .forEach(left -> remove(left.getId()));
        swept = true;
    }

    private void createUnstarted(String id, String name) {
        try {
            engine.call("unpacking the image", client -> client.createContainerCmd(id)
                    .withName(name)
                    .withEntrypoint("/never-started")
                    .withHostConfig(new HostConfig().withNetworkMode("none"))
                    .exec());
        } catch (DriverException failure) {
            if (EngineFailure.isNotFound(failure)) {
                throw new DriverException(
                        DriverException.Kind.IMAGE_UNAVAILABLE,
                        "The image " + id
                                + " was removed from the container engine before it was unpacked. Pull or build"
                                + " it again.",
                        failure);
            }
            throw failure;
        }
    }

    private void remove(String name) {
        try {
            engine.call("removing a container that was never started", client -> client.removeContainerCmd(name)
                    .withForce(true)
                    .withRemoveVolumes(true)
                    .exec());
        } catch (DriverException failure) {
            if (!EngineFailure.isNotFound(failure)) {
                LOG.warn("The container {}, which was never started, stays: {}", name, failure.getMessage());
            }
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
