package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.docker.EngineImages;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Asks the engine which image a name means, at most once at a time for each name. Whoever asks while a question is under way
 * gets the answer to the next one, which begins later than he asked; so a hundred claims at once cost few questions, and none
 * gets an answer from before its time. Thread-safe; no call blocks.
 */
final class ImageQuestions {
    private final Function<String, EngineImages.Image> engine;
    private final Executor blocking;
    private final Map<String, Asked> underWay = new HashMap<>();

    private record Asked(
            CompletableFuture<EngineImages.Image> now, Optional<CompletableFuture<EngineImages.Image>> next) {}

    /**
     * @param engine the question, which blocks
     * @param blocking the executor of the questions
     */
    ImageQuestions(Function<String, EngineImages.Image> engine, Executor blocking) {
        this.engine = engine;
        this.blocking = blocking;
    }

    /** The image that has this name now; fails like the question. */
    CompletableFuture<EngineImages.Image> ask(String name) {
        CompletableFuture<EngineImages.Image> mine = new CompletableFuture<>();
        synchronized (this) {
            Asked asked = underWay.get(name);
            if (asked != null && asked.next.isPresent()) {
                return asked.next.get();
            }
            if (asked != null) {
                underWay.put(name, new Asked(asked.now, Optional.of(mine)));
                return mine;
            }
            underWay.put(name, new Asked(mine, Optional.empty()));
        }
        begin(name, mine);
        return mine;
    }

    private void begin(String name, CompletableFuture<EngineImages.Image> answer) {
        try {
            blocking.execute(() -> {
                try {
                    answer.complete(engine.apply(name));
                } catch (RuntimeException failed) {
                    answer.completeExceptionally(failed);
                } finally {
                    goOn(name);
                }
            });
        } catch (RuntimeException closed) {
            answer.completeExceptionally(closed);
            goOn(name);
        }
    }

    private void goOn(String name) {
        Optional<CompletableFuture<EngineImages.Image>> next;
        synchronized (this) {
            next = Optional.ofNullable(underWay.remove(name)).flatMap(Asked::next);
            next.ifPresent(one -> underWay.put(name, new Asked(one, Optional.empty())));
        }
        next.ifPresent(one -> begin(name, one));
    }
}
