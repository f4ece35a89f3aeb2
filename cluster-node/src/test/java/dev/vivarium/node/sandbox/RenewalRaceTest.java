package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Renewals raced against deadlines, in real time: each attempt is renewed within some milliseconds of its deadline, by a
 * guest that answers late and that ends the attempt by a clock of its own, a few milliseconds after the node's. A renewal
 * that was reported must never be followed by an end at the old deadline, from either clock.
 */
@Timeout(300)
class RenewalRaceTest {
    private static final int ATTEMPTS = 10_000;
    private static final int ATTEMPTS_AT_ONCE = 200;
    private static final long OLD_MILLIS = 40;
    private static final long NEW_MILLIS = 120;
    /** Renewals come this much before the deadline at most, and this much after; they take some time to the guest. */
    private static final int BEFORE_MICROS = 14_000;

    private static final int AFTER_MICROS = 4_000;

    private static final Config CONFIG = ConfigFactory.parseString(
                    """
            pekko.actor.provider = local
            vivarium.sandbox { sample-interval = 1s, kill-confirm = 1s, second-clock-grace = 3ms }
            """)
            .withFallback(ConfigFactory.load());
    private static final ActorTestKit KIT = ActorTestKit.create("race", CONFIG);

    private final ScheduledExecutorService times = Executors.newSingleThreadScheduledExecutor();
    private final ClockedGuests guests = new ClockedGuests();
    private final SandboxEnvironment environment = SandboxEnvironment.of(
            guests.sandboxes(),
            new MemoryStore(),
            new LiveSandboxes(),
            NodeLease.endless(),
            CONFIG,
            NodeClock.system());
    private final Semaphore room = new Semaphore(ATTEMPTS_AT_ONCE);
    private final CountDownLatch ended = new CountDownLatch(ATTEMPTS);
    private final AtomicInteger renewed = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final List<String> violations = new ArrayList<>();
    private final Random random = new Random(18);

    @AfterAll
    static void stopKit() {
        KIT.shutdownTestKit();
    }

    @Test
    void noReportedRenewalIsFollowedByAnEndAtTheOldDeadline() throws Exception {
        for (int number = 0; number < ATTEMPTS; number++) {
            room.acquire();
            race(random.nextInt(BEFORE_MICROS + AFTER_MICROS) - BEFORE_MICROS);
        }
        assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
        times.shutdownNow();
        guests.close();

        assertThat(violations).isEmpty();
        assertThat(renewed.get() + refused.get()).isEqualTo(ATTEMPTS);
        // Otherwise there was no race.
        assertThat(renewed.get()).isGreaterThan(ATTEMPTS / 20);
        assertThat(refused.get()).isGreaterThan(ATTEMPTS / 20);
        System.out.printf(
                "%d renewals raced against deadlines: %d moved them, %d were refused; %d attempts were ended by the"
                        + " guest's clock%n",
                ATTEMPTS, renewed.get(), refused.get(), guests.endedByClock());
    }

    /** @param offMicros when it is renewed, after its deadline */
    private void race(int offMicros) {
        RunSpec spec = Specs.spec(new TimeSpan(Duration.ofMillis(OLD_MILLIS)), NodeLossPolicy.FAIL, 1);
        RunSpec shortGrace = spec.with(spec.limits().with(Limit.GRACE, "1ms"));
        Sandbox.Renew renew = new Sandbox.Renew(
                1, shortGrace.limits().with(Limit.WALL_CLOCK, new TimeSpan(Duration.ofMillis(NEW_MILLIS))));
        CompletableFuture<ActorRef<Sandbox.Command>> sandbox = new CompletableFuture<>();
        Round round = new Round(() -> {
            ScheduledFuture<?> unused = times.schedule(
                    () -> sandbox.join().tell(renew),
                    TimeUnit.MILLISECONDS.toMicros(OLD_MILLIS) + offMicros,
                    TimeUnit.MICROSECONDS);
        });
        AttemptName attempt = new AttemptName(new RunId(UlidCreator.getUlid().toLowerCase()), 1);
        sandbox.complete(KIT.spawn(Sandbox.create(environment, attempt, shortGrace, KIT.spawn(round.behavior()))));
    }

    /** What one attempt reports; all that is asked of it comes before its end, or stays unanswered. */
    private final class Round {
        private final Runnable onStart;
        private long limitMillis = OLD_MILLIS;
        private int answers;

        Round(Runnable onStart) {
            this.onStart = onStart;
        }

        Behavior<SandboxReport> behavior() {
            return Behaviors.receiveMessage(report -> {
                if (report instanceof SandboxReport.Started) {
                    onStart.run();
                } else if (report instanceof SandboxReport.Renewed) {
                    answers++;
                    limitMillis = NEW_MILLIS;
                    renewed.incrementAndGet();
                } else if (report instanceof SandboxReport.NotRenewed) {
                    answers++;
                    refused.incrementAndGet();
                } else if (report instanceof SandboxReport.Ended end) {
                    check(end);
                    return Behaviors.stopped();
                }
                return Behaviors.same();
            });
        }

        private void check(SandboxReport.Ended end) {
            if (answers == 0) {
                refused.incrementAndGet(); // It came when the attempt was over, and its run would decide.
            }
            boolean isKept = end.outcome() instanceof Outcome.Killed killed
                    && killed.reason() == KillReason.WALL_CLOCK
                    && killed.measurement().orElseThrow().limit() == limitMillis
                    && killed.measurement().orElseThrow().measured() >= limitMillis;
            synchronized (violations) {
                if (!isKept || answers > 1) {
                    violations.add(answers + " answers, limit " + limitMillis + ": " + end);
                }
            }
            ended.countDown();
            room.release();
        }
    }
}
