package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.time.Duration;

/** Create, attach, start through the engine's own API. */
public final class FirstByteOfEngine implements FirstByte {
    private final EngineApi engine;
    private final Workload workload;

    public FirstByteOfEngine(EngineApi engine, Workload workload) {
        this.engine = engine;
        this.workload = workload;
    }

    @Override
    public Duration once() throws IOException {
        long began = System.nanoTime();
        String container = engine.create(workload.container(Workload.Removal.BY_THE_CLIENT));
        try (EngineApi.Output output = engine.attach(container)) {
            engine.start(container);
            output.awaitFirstByte();
            long took = System.nanoTime() - began;
            engine.awaitExit(container);
            return Duration.ofNanos(took);
        } finally {
            engine.remove(container);
        }
    }
}
