package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every store's idempotency keys. */
public abstract class ClaimedKeysContract {
    private static final int AT_ONCE = 24;

    protected abstract ClaimedKeys keys();

    /** The same keys as seen by another node. */
    protected abstract ClaimedKeys elsewhere();

    @Test
    void aKeyBelongsToItsFirstClaimantForeverAndOnEveryNode() {
        Blob key = key("first");

        assertThat(join(keys().claim(key, Fixtures.run(1)))).isEqualTo(Fixtures.run(1));

        assertThat(join(keys().claim(key, Fixtures.run(2)))).isEqualTo(Fixtures.run(1));
        assertThat(join(elsewhere().claim(key, Fixtures.run(3)))).isEqualTo(Fixtures.run(1));
        assertThat(join(elsewhere().claim(key("second"), Fixtures.run(3)))).isEqualTo(Fixtures.run(3));
    }

    @Test
    void concurrentClaimsGetTheSameAnswer() {
        for (int round = 0; round < 5; round++) {
            Blob key = key("at once " + round);
            List<CompletableFuture<RunId>> claims = IntStream.range(0, AT_ONCE)
                    .mapToObj(n -> (n % 2 == 0 ? keys() : elsewhere())
                            .claim(key, Fixtures.run(100 + n))
                            .toCompletableFuture())
                    .toList();

            Set<RunId> answers = claims.stream().map(CompletableFuture::join).collect(Collectors.toSet());

            assertThat(answers).hasSize(1);
        }
    }

    private Blob key(String text) {
        return Blob.ofUtf8(getClass().getName() + " " + text);
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
