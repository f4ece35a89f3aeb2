package dev.vivarium.node.sandbox;

import dev.vivarium.persistence.journal.StageFailure;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.slf4j.Logger;

/** How a part of the Sandbox actor sends messages to the actor: with the answer of a stage, or after a time. */
record Inbox(ActorContext<Sandbox.Command> context, TimerScheduler<Sandbox.Command> timers) {
    ActorRef<Sandbox.Command> self() {
        return context.getSelf();
    }

    Logger log() {
        return context.getLog();
    }

    /** Sends the stage's result as a message. */
    <T> void hear(
            CompletionStage<T> stage, Function<T, Sandbox.Command> done, Function<Throwable, Sandbox.Command> failed) {
        context.pipeToSelf(
                stage,
                (answer, failure) -> failure == null ? done.apply(answer) : failed.apply(StageFailure.cause(failure)));
    }

    /** Sends the message after the wait; replaces an earlier one with the same key. */
    void after(Duration wait, Object key, Sandbox.Command message) {
        timers.startSingleTimer(key, message, wait);
    }

    /** Whether a message with this key is still to come. */
    boolean isAwaited(Object key) {
        return timers.isTimerActive(key);
    }

    void cancel(Object key) {
        timers.cancel(key);
    }
}
