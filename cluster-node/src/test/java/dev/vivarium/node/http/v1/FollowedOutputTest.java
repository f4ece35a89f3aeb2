package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class FollowedOutputTest {
    private static final ActorSystem<Void> SYSTEM = ActorSystem.create(Behaviors.empty(), "followed");

    private final List<OutputChunk> stored = new CopyOnWriteArrayList<>();
    private final List<Long> reads = new CopyOnWriteArrayList<>();

    @AfterAll
    static void stop() {
        SYSTEM.terminate();
        SYSTEM.getWhenTerminated().toCompletableFuture().join();
    }

    @Test
    void whatContinuesIsPassedOnWithoutARead() {
        List<OutputChunk> chunks = List.of(store("one"), store("two"), store("three"));

        assertThat(follow(0, live(3, chunks.get(0)), live(6, chunks.get(1)), live(11, chunks.get(2))))
                .isEqualTo("onetwothree");
        assertThat(reads).isEmpty();
    }

    @Test
    void aGapIsReadFromTheStore() {
        store("one");
        store("two");
        OutputChunk third = store("three");

        assertThat(follow(0, live(11, third))).isEqualTo("onetwothree");
        assertThat(reads).as("until the end is reached, and no further").containsExactly(0L);
    }

    @Test
    void whatWasPassedOnIsNotPassedOnAgain() {
        OutputChunk one = store("one");
        OutputChunk two = store("two");

        assertThat(follow(0, live(3, one), live(3, one), live(6, one, two), live(6, two)))
                .isEqualTo("onetwo");
        assertThat(reads).isEmpty();
    }

    @Test
    void anEndThatIsBehindOrReachedNeedsNoRead() {
        OutputChunk one = store("one");

        assertThat(follow(0, live(3, one), live(3), live(2))).isEqualTo("one");
        assertThat(reads).isEmpty();
    }

    @Test
    void anUnknownEndIsLookedForInTheStore() {
        store("one");

        assertThat(follow(0, new Progress(1, OptionalLong.empty(), Progress.Life.LIVE)))
                .isEqualTo("one");
        assertThat(reads).containsExactly(0L, 3L);
    }

    /** A sandbox that the run lost may have stored more than it could report. */
    @Test
    void afterTheRunsEndTheStoreHasTheLastWord() {
        OutputChunk one = store("one");
        store("two");

        assertThat(follow(0, live(3, one), new Progress(4, OptionalLong.of(3), Progress.Life.ENDED)))
                .isEqualTo("onetwo");
    }

    @Test
    void followingBeginsAnywhere() {
        OutputChunk one = store("one");
        OutputChunk two = store("two");

        assertThat(follow(3, live(3, one), live(6, two))).isEqualTo("two");
        assertThat(follow(99, live(6, one, two))).isEmpty();
        assertThat(reads).isEmpty();
    }

    @Test
    void aReadThatFailsFailsTheFollower() {
        CompletionStage<List<OutputChunk>> failed = CompletableFuture.failedStage(new IllegalStateException("away"));

        Assertions.assertThatThrownBy(() -> Source.from(List.of(live(3)))
                        .via(new FollowedOutput(offset -> failed, 0))
                        .runWith(Sink.seq(), SYSTEM)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(CompletionException.class)
                .hasMessageContaining("away");
    }

    private String follow(long from, Progress... progress) {
        StringBuilder text = new StringBuilder();
        Source.from(List.of(progress))
                .via(new FollowedOutput(this::read, from))
                .runWith(Sink.seq(), SYSTEM)
                .toCompletableFuture()
                .join()
                .forEach(chunk -> text.append(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8)));
        return text.toString();
    }

    private CompletionStage<List<OutputChunk>> read(long from) {
        reads.add(from);
        return CompletableFuture.completedStage(
                stored.stream().filter(chunk -> chunk.end() > from).toList());
    }

    private OutputChunk store(String text) {
        long offset = stored.isEmpty() ? 0 : stored.get(stored.size() - 1).end();
        OutputChunk chunk =
                new OutputChunk(1, ProcessId.COMMAND, Stream.STDOUT, offset, Instant.EPOCH, Blob.ofUtf8(text));
        stored.add(chunk);
        return chunk;
    }

    private static Progress live(long end, OutputChunk... chunks) {
        return new Progress(3, OptionalLong.of(end), Progress.Life.LIVE, new ArrayList<>(List.of(chunks)));
    }
}
