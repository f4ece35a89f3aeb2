package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.persistence.store.StoreOwnership.Change;
import dev.vivarium.persistence.store.StoreOwnership.Hold;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The contract of every store's ownership by a cluster. */
public abstract class StoreOwnershipContract {
    protected abstract StoreOwnership hold();

    /** The same ownership as seen by another node. */
    protected abstract StoreOwnership elsewhere();

    private Hold before = Hold.FREE;

    @BeforeEach
    void look() {
        before = join(hold().current());
    }

    @Test
    void theHolderIsVisibleUntilItReleases() {
        assertThat(join(hold().change(before, before.takenBy("one")))).isEqualTo(Change.MADE);

        Hold taken = join(elsewhere().current());
        assertThat(taken.holder()).isEqualTo("one");
        assertThat(taken.isFree()).isFalse();

        assertThat(join(elsewhere().change(taken, taken.released()))).isEqualTo(Change.MADE);
        assertThat(join(hold().current()).isFree()).isTrue();
        assertThat(join(hold().current()).beat()).isGreaterThan(taken.beat());
    }

    @Test
    void itChangesOnlyFromTheExpectedValue() {
        join(hold().change(before, before.takenBy("one")));

        assertThat(join(elsewhere().change(before, before.takenBy("two")))).isEqualTo(Change.OVERTAKEN);

        assertThat(join(hold().current())).isEqualTo(before.takenBy("one"));
    }

    @Test
    void onlyOneOfManyConcurrentTakersSucceeds() {
        List<Change> changes = IntStream.range(0, 8)
                .mapToObj(n -> (n % 2 == 0 ? hold() : elsewhere()).change(before, before.takenBy("node " + n)))
                .toList()
                .stream()
                .map(StoreOwnershipContract::join)
                .toList();

        assertThat(changes).containsOnlyOnce(Change.MADE);
        assertThat(join(hold().current()).beat()).isEqualTo(before.beat() + 1);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
