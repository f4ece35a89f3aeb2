package dev.vivarium.trials.abuse;

import dev.vivarium.trials.outside.EngineSocket;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The images built for payloads. To be closed when no sandbox uses them any more. */
public final class HostileImages implements AutoCloseable {
    private final EngineSocket engine;
    private final Set<HostileImage> images = ConcurrentHashMap.newKeySet();

    public HostileImages(EngineSocket engine) {
        this.engine = engine;
    }

    HostileImage make(String base, Payload payload) throws IOException {
        HostileImage image = HostileImage.make(engine, base, payload.name(), payload.image());
        images.add(image);
        return image;
    }

    void remove(HostileImage image) throws IOException {
        if (images.remove(image)) {
            image.remove();
        }
    }

    /** Removes all images; one that cannot be removed is left, and can be found by its label. */
    @Override
    public void close() {
        for (HostileImage image : List.copyOf(images)) {
            try {
                remove(image);
            } catch (IOException stays) {
                images.remove(image);
            }
        }
    }
}
