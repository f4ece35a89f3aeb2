package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's memory of the runs that a shard has to wake. */
public abstract class RememberedRunsContract {
    private static final int MANY = 400;

    protected abstract RememberedRuns remembered();

    /** The same runs as seen by another node. */
    protected abstract RememberedRuns elsewhere();

    @Test
    void aShardsRunsAreRememberedUntilTheyAreForgotten() {
        join(remembered().remember("7", Fixtures.run(1)));
        join(remembered().remember("7", Fixtures.run(2)));
        join(remembered().remember("71", Fixtures.run(3)));

        assertThat(join(elsewhere().in("7"))).containsExactlyInAnyOrder(Fixtures.run(1), Fixtures.run(2));
        assertThat(join(elsewhere().in("71"))).containsExactly(Fixtures.run(3));
        assertThat(join(elsewhere().in("8"))).isEmpty();

        join(elsewhere().forget("7", Fixtures.run(1)));
        assertThat(join(remembered().in("7"))).containsExactly(Fixtures.run(2));
    }

    /** Other tests may remember runs in the same store. */
    @Test
    void aShardIsListedWhileAnyOfItsRunsIsRemembered() {
        join(remembered().remember("one shard", Fixtures.run(1)));
        join(remembered().remember("one shard", Fixtures.run(2)));
        join(remembered().remember("another shard", Fixtures.run(3)));
        assertThat(join(elsewhere().shards()))
                .contains("one shard", "another shard")
                .doesNotContain("never");

        join(elsewhere().forget("one shard", Fixtures.run(1)));
        join(elsewhere().forget("another shard", Fixtures.run(3)));
        assertThat(join(remembered().shards())).contains("one shard").doesNotContain("another shard");
    }

    @Test
    void rememberingAndForgettingMayBeRepeated() {
        join(remembered().forget("again", Fixtures.run(1)));
        join(remembered().remember("again", Fixtures.run(1)));
        join(elsewhere().remember("again", Fixtures.run(1)));
        assertThat(join(remembered().in("again"))).containsExactly(Fixtures.run(1));

        join(remembered().forget("again", Fixtures.run(1)));
        join(elsewhere().forget("again", Fixtures.run(1)));
        assertThat(join(remembered().in("again"))).isEmpty();
    }

    @Test
    void concurrentChangesLoseNothing() {
        List<RunId> runs = IntStream.range(0, MANY).mapToObj(Fixtures::run).toList();
        List<CompletableFuture<?>> under = runs.stream()
                .<CompletableFuture<?>>map(
                        run -> remembered().remember("many", run).toCompletableFuture())
                .toList();
        CompletableFuture.allOf(under.toArray(CompletableFuture<?>[]::new)).join();

        assertThat(join(elsewhere().in("many"))).containsExactlyInAnyOrderElementsOf(runs);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
