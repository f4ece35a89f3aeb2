package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order in which sandboxes are removed. */
class RemovalQueueTest {
    private static final SandboxId A = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzza");
    private static final SandboxId B = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzb");
    private static final SandboxId C = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzc");

    private final SetClock clock = new SetClock();
    private final RemovalQueue removals = new RemovalQueue(1, clock);
    private final List<SandboxId> turns = new ArrayList<>();

    @Test
    void aFirstRemovalGetsItsTurnImmediately() {
        await(A);

        assertThat(turns).containsExactly(A);
    }

    @Test
    void removalsAreLimitedByTheProcessorsAndFollowInOrder() {
        await(A);
        await(C);
        await(B);

        assertThat(turns).containsExactly(A);
        removals.over(A);
        assertThat(turns).containsExactly(A, C);
        removals.over(C);
        assertThat(turns).containsExactly(A, C, B);
    }

    @Test
    void aKillInProgressGoesFirst() {
        removals.killing(B);
        await(A);

        assertThat(turns).isEmpty();
        await(B);
        assertThat(turns).containsExactly(A);
    }

    @Test
    void aKillByTheEngineDelaysNoOtherRemoval() {
        removals.killing(B);
        await(A);

        removals.removing(B);

        assertThat(turns).isEmpty();
        removals.over(B);
        assertThat(turns).containsExactly(A);
    }

    @Test
    void aRemovalOutOfTurnGetsNoFurtherTurn() {
        await(A);
        await(B);

        removals.removing(B);
        removals.over(B);
        removals.over(A);

        assertThat(turns).containsExactly(A);
    }

    @Test
    void anAgentThatStartsGoesFirst() {
        removals.starting(B);
        await(A);

        assertThat(turns).isEmpty();
        removals.started(B);
        assertThat(turns).containsExactly(A);
    }

    @Test
    void aStartThatFailsDelaysNoFurther() {
        removals.starting(B);
        await(A);

        removals.over(B);
        assertThat(turns).containsExactly(A);
    }

    @Test
    void underASteadyLoadARemovalYieldsForAMomentOnly() {
        removals.starting(B);
        await(A);
        removals.starting(C);

        clock.advance(Duration.ofMillis(500));
        removals.started(B);

        assertThat(turns).containsExactly(A);
    }

    @Test
    void anOwnerThatHasEndedDelaysNoOtherRemoval() {
        removals.killing(C);
        await(A);

        removals.over(C);
        removals.over(C);

        assertThat(turns).containsExactly(A);
    }

    private void await(SandboxId id) {
        removals.await(id, () -> turns.add(id));
    }
}
