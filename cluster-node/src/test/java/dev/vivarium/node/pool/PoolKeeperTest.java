package dev.vivarium.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.sandbox.ScriptedDriver;
import dev.vivarium.node.sandbox.SetClock;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PoolKeeperTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final Duration SETTLE = Duration.ofMillis(200);
    private static final Duration AGE_MAX = Duration.ofMinutes(10);
    private static final SandboxTemplate TEMPLATE =
            new SandboxTemplate("image", Isolation.CONTAINER, Limits.SMALLEST, Optional.empty());

    private final ScriptedDriver driver = new ScriptedDriver();
    private final WarmPool pool = driver.sandboxes().pool();
    private final SetClock clock = new SetClock();
    private final AtomicInteger room = new AtomicInteger(100);
    private final List<SandboxId> taken = new ArrayList<>();

    @AfterAll
    static void shutDown() {
        KIT.shutdownTestKit();
    }

    @AfterEach
    void nothingButWhatWasTakenIsLeft() {
        assertThat(driver.live()).containsExactlyInAnyOrderElementsOf(taken);
    }

    @Test
    void aFloorWaitsFromTheStartAndIsKeptUp() {
        ActorRef<PoolKeeper.Command> keeper = start(3);
        awaitWaiting(3);

        take();

        awaitSettled(3);
        assertThat(pool.warm()).isEqualTo(1);
        stop(keeper);
    }

    @Test
    void whatABurstTakesIsReplacedWhenItIsOverOrHalfOfItIs() {
        ActorRef<PoolKeeper.Command> keeper = start(6);
        awaitWaiting(6);

        take();
        take();
        await().during(Duration.ofMillis(100)).until(() -> pool.waiting() == 4);
        take();

        await().until(() -> pool.waiting() >= 4);
        awaitSettled(6);
        stop(keeper);
    }

    @Test
    void whatARunNeededWaitsForTheNext() {
        ActorRef<PoolKeeper.Command> keeper = start(0);
        assertThat(pool.take(TEMPLATE, PoolKind.Link.NONE)).isEmpty();
        assertThat(pool.cold()).isEqualTo(1);

        awaitWaiting(1);

        take();
        stop(keeper);
    }

    @Test
    void whatNobodyAsksForIsGivenUp() {
        ActorRef<PoolKeeper.Command> keeper = start(0);
        assertThat(pool.take(TEMPLATE, PoolKind.Link.NONE)).isEmpty();
        awaitWaiting(1);

        clock.advance(Duration.ofHours(1));

        awaitWaiting(0);
        stop(keeper);
    }

    @Test
    void anOldOneIsReplaced() {
        ActorRef<PoolKeeper.Command> keeper = start(1);
        awaitWaiting(1);
        SandboxId first = driver.live().iterator().next();

        clock.advance(AGE_MAX.plusSeconds(1));

        await().until(() -> driver.destroyed().contains(first));
        awaitWaiting(1);
        stop(keeper);
    }

    @Test
    void oneThatEndsWhileItWaitsIsReplacedAndNeverTaken() {
        ActorRef<PoolKeeper.Command> keeper = start(1);
        awaitWaiting(1);
        SandboxId first = driver.live().iterator().next();

        driver.end(first);

        await().until(() -> driver.destroyed().contains(first));
        awaitWaiting(1);
        stop(keeper);
    }

    @Test
    void aNodeWithoutRoomKeepsNone() {
        ActorRef<PoolKeeper.Command> keeper = start(2);
        awaitWaiting(2);

        room.set(1);
        awaitWaiting(1);

        room.set(0);
        awaitWaiting(0);
        assertThat(pool.ceiling()).isZero();
        stop(keeper);
    }

    @Test
    void whatCannotBeCreatedIsTriedAgainIfItAlwaysWaits() {
        driver.failNextCreate(new DriverException(DriverException.Kind.IMAGE_UNAVAILABLE, "As scripted."));
        ActorRef<PoolKeeper.Command> keeper = start(1);
        await().until(() -> driver.failuresLeft() == 0);
        assertThat(pool.waiting()).isZero();

        clock.advance(Duration.ofMinutes(1));

        awaitWaiting(1);
        stop(keeper);
    }

    @Test
    void theOneThatIsTakenHasOneOwnerAtEveryMoment() {
        ActorRef<PoolKeeper.Command> keeper = start(1);
        awaitWaiting(1);

        WaitingSandbox sandbox = pool.take(TEMPLATE, PoolKind.Link.NONE).orElseThrow();
        assertThat(pool.owns(sandbox.id())).isTrue();
        pool.handedOver(sandbox);
        assertThat(pool.owns(sandbox.id())).isFalse();

        taken.add(sandbox.id());
        stop(keeper);
    }

    @Test
    void aClosedPoolKeepsNothing() {
        ActorRef<PoolKeeper.Command> keeper = start(2);
        awaitWaiting(2);
        Set<SandboxId> all = Set.copyOf(driver.live());

        stop(keeper);

        assertThat(driver.destroyed()).containsAll(all);
        assertThat(pool.take(TEMPLATE, PoolKind.Link.NONE)).isEmpty();
    }

    private void take() {
        WaitingSandbox sandbox = pool.take(TEMPLATE, PoolKind.Link.NONE).orElseThrow();
        pool.handedOver(sandbox);
        taken.add(sandbox.id());
    }

    private ActorRef<PoolKeeper.Command> start(int floor) {
        List<PoolSettings.Floor> floors = floor == 0
                ? List.of()
                : List.of(new PoolSettings.Floor(TEMPLATE.image(), TEMPLATE.isolation(), PoolKind.Link.NONE, floor));
        PoolSettings settings = new PoolSettings(
                10,
                floors,
                2,
                AGE_MAX,
                Duration.ofMinutes(5),
                SETTLE,
                Duration.ofMillis(20),
                Duration.ofSeconds(1),
                Duration.ofSeconds(30));
        ActorRef<PoolKeeper.Command> keeper =
                KIT.spawn(PoolKeeper.create(pool, settings, Limits.SMALLEST, room::get, clock));
        await().until(() -> pool.ceiling() > 0);
        return keeper;
    }

    private void awaitWaiting(int number) {
        await().until(() -> pool.waiting() == number);
    }

    /** The keeper notes a run a moment after it has taken its sandbox, so the time goes on until it has. */
    private void awaitSettled(int number) {
        await().until(() -> {
            clock.advance(SETTLE);
            return pool.waiting() == number;
        });
    }

    private void stop(ActorRef<PoolKeeper.Command> keeper) {
        KIT.stop(keeper);
    }
}
