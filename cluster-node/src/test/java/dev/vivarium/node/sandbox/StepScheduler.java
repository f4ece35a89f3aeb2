package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.actor.AbstractScheduler;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.event.LoggingAdapter;
import scala.concurrent.ExecutionContext;
import scala.concurrent.duration.FiniteDuration;

/**
 * Timers of an actor system that fire when the test advances its clock, each at its own instant. Pekko's manual time
 * sleeps for 100 ms with each step, since it cannot know whether actors are still at work.
 */
public final class StepScheduler extends AbstractScheduler {
    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparingLong(Task::dueNanos).thenComparingLong(Task::number));
    private long nowNanos;
    private long scheduled;

    /** Called reflectively by the actor system. */
    public StepScheduler(Config config, LoggingAdapter log, ThreadFactory threads) {}

    /** The configuration that makes an actor system use this scheduler. */
    static Config config() {
        return ConfigFactory.parseString("pekko.scheduler.implementation = " + StepScheduler.class.getName());
    }

    /** The scheduler of this system. */
    static StepScheduler of(ActorSystem<?> system) {
        return (StepScheduler) Adapter.toClassic(system).scheduler();
    }

    /** Advances the time of this scheduler and of the clock. */
    void pass(Duration duration, SetClock clock) {
        long untilNanos = now() + duration.toNanos();
        for (Optional<Task> due = next(untilNanos); due.isPresent(); due = next(untilNanos)) {
            moveTo(due.get().dueNanos, clock);
            due.get().context.execute(due.get().work);
        }
        moveTo(untilNanos, clock);
    }

    private synchronized long now() {
        return nowNanos;
    }

    private synchronized Optional<Task> next(long untilNanos) {
        Task first = tasks.peek();
        return first == null || first.dueNanos > untilNanos ? Optional.empty() : Optional.ofNullable(tasks.poll());
    }

    private synchronized void moveTo(long nanos, SetClock clock) {
        clock.advance(Duration.ofNanos(nanos - nowNanos));
        nowNanos = nanos;
    }

    @Override
    public synchronized Cancellable scheduleOnce(FiniteDuration delay, Runnable work, ExecutionContext context) {
        Task task = new Task(nowNanos + delay.toNanos(), scheduled++, work, context);
        tasks.add(task);
        return new Cancellable() {
            @Override
            public boolean cancel() {
                synchronized (StepScheduler.this) {
                    return tasks.remove(task);
                }
            }

            @Override
            public boolean isCancelled() {
                synchronized (StepScheduler.this) {
                    return !tasks.contains(task);
                }
            }
        };
    }

    /** Ignored: no test waits for the periodic tasks of the actor system itself. */
    @Override
    @SuppressWarnings("deprecation") // The one method of Pekko's scheduler that all periodic work goes through.
    public Cancellable schedule(
            FiniteDuration initialDelay, FiniteDuration interval, Runnable work, ExecutionContext context) {
        return scheduleOnce(initialDelay, work, context);
    }

    @Override
    public double maxFrequency() {
        return 1_000;
    }

    private record Task(long dueNanos, long number, Runnable work, ExecutionContext context) {}
}
