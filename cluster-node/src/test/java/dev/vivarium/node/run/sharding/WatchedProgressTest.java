package dev.vivarium.node.run.sharding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.run.Run;
import dev.vivarium.node.run.Runs.Interest;
import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WatchedProgressTest {
    private static final ActorSystem<Void> SYSTEM = ActorSystem.create(Behaviors.empty(), "watched");
    private static final int HELD_BYTES_MAX = 1_000;

    private final List<Run.Watch> asked = new CopyOnWriteArrayList<>();

    @AfterAll
    static void stop() {
        SYSTEM.terminate();
        SYSTEM.getWhenTerminated().toCompletableFuture().join();
    }

    @Test
    void theRunIsAskedAgainAndAgain() {
        SinkQueueWithCancel<Progress> reader = watch(Duration.ofMillis(20));

        await().until(() -> asked.size() >= 3);
        assertThat(asked).allSatisfy(watch -> {
            assertThat(watch.interest()).isEqualTo(Interest.OUTPUT);
            assertThat(watch.watcher()).isEqualTo(watcher());
        });
        reader.cancel();
    }

    @Test
    void itCompletesAfterTheRunsEnd() {
        SinkQueueWithCancel<Progress> reader = watch(Duration.ofHours(1));
        watcher().tell(new Progress(1, OptionalLong.empty(), Progress.Life.LIVE));
        assertThat(next(reader).seq()).isEqualTo(1);

        watcher().tell(new Progress(2, OptionalLong.of(7), Progress.Life.ENDED));

        assertThat(next(reader).life()).isEqualTo(Progress.Life.ENDED);
        assertThat(reader.pull().toCompletableFuture().join()).isEmpty();
    }

    @Test
    void aSlowReaderGetsOneProgressWithAllThatFollowsEachOther() {
        assertThat(chunk(0, "one").end()).isEqualTo(3);
        Progress first = output(1, 3, chunk(0, "one"));
        Progress both = first.and(output(2, 6, chunk(3, "two")), HELD_BYTES_MAX);

        assertThat(both.seq()).isEqualTo(2);
        assertThat(both.outputEnd()).hasValue(6);
        assertThat(both.output()).extracting(OutputChunk::offset).containsExactly(0L, 3L);
        assertThat(both.and(new Progress(3, OptionalLong.of(6), Progress.Life.ENDED), HELD_BYTES_MAX)
                        .output())
                .hasSize(2);
    }

    @Test
    void whatDoesNotFollowOrDoesNotFitIsLeftToTheStore() {
        Progress first = output(1, 3, chunk(0, "one"));

        Progress gap = first.and(output(2, 12, chunk(9, "far")), HELD_BYTES_MAX);
        Progress large = first.and(output(2, 903, chunk(3, "x".repeat(900))), HELD_BYTES_MAX);

        assertThat(gap.output()).isEqualTo(first.output());
        assertThat(gap.outputEnd()).hasValue(12);
        assertThat(large.output()).isEqualTo(first.output());
        assertThat(large.outputEnd()).hasValue(903);
        assertThat(first.and(new Progress(2, OptionalLong.empty(), Progress.Life.LIVE), HELD_BYTES_MAX)
                        .outputEnd())
                .isEmpty();
    }

    private SinkQueueWithCancel<Progress> watch(Duration interval) {
        SinkQueueWithCancel<Progress> reader = Source.fromGraph(
                        new WatchedProgress(asked::add, Interest.OUTPUT, interval, HELD_BYTES_MAX))
                .runWith(Sink.queue(), SYSTEM);
        await().until(() -> !asked.isEmpty());
        return reader;
    }

    private ActorRef<Progress> watcher() {
        return asked.get(0).watcher();
    }

    private static Progress next(SinkQueueWithCancel<Progress> reader) {
        return reader.pull().toCompletableFuture().join().orElseThrow();
    }

    private static Progress output(long seq, long end, OutputChunk chunk) {
        return new Progress(seq, OptionalLong.of(end), Progress.Life.LIVE, List.of(chunk));
    }

    private static OutputChunk chunk(long offset, String text) {
        return new OutputChunk(1, ProcessId.COMMAND, Stream.STDOUT, offset, Instant.EPOCH, Blob.ofUtf8(text));
    }
}
