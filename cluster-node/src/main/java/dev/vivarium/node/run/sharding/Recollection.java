package dev.vivarium.node.run.sharding;

import static scala.jdk.javaapi.CollectionConverters.asScala;

import dev.vivarium.persistence.store.RememberedRuns;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.AbstractActorWithTimers;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.japi.pf.ReceiveBuilder;
import org.apache.pekko.pattern.Patterns;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what Cluster Sharding asks of remembered runs, as soon as the store says so; one that is away is asked again and
 * again. An actor of the old kind, as sharding talks to those.
 */
abstract class Recollection extends AbstractActorWithTimers {
    private static final Duration RETRY = Duration.ofMillis(500);

    private final Logger log = LoggerFactory.getLogger(getClass());
    private final RememberedRuns remembered = RememberedSource.runs(getContext().getSystem());
    private final String waiting;

    /** @param waiting who waits for what, for the log */
    Recollection(String waiting) {
        this.waiting = waiting;
    }

    private record Found(Set<String> names, ActorRef asker) {}

    private record Failed(String reason, ActorRef asker) {}

    private record Ask(ActorRef asker) {}

    /** The names that are asked for. */
    abstract CompletionStage<Set<String>> recall(RememberedRuns from);

    /** The names, in sharding's own words. */
    abstract Object answer(scala.collection.immutable.Set<String> names);

    /** What this actor understands: the question, and what it tells itself. */
    final ReceiveBuilder answering(Object question) {
        return receiveBuilder()
                .matchEquals(question, asked -> ask(getSender()))
                .match(Ask.class, again -> ask(again.asker))
                .match(Found.class, this::onFound)
                .match(Failed.class, this::onFailed);
    }

    private void ask(ActorRef asker) {
        Patterns.pipe(
                        recall(remembered)
                                .handle((names, failure) -> failure == null
                                        ? new Found(names, asker)
                                        : new Failed(failure.toString(), asker)),
                        getContext().getDispatcher())
                .to(getSelf());
    }

    private void onFound(Found found) {
        found.asker.tell(answer(asScala(found.names).toSet()), getSelf());
    }

    private void onFailed(Failed failed) {
        log.warn("{}: {}", waiting, failed.reason);
        getTimers().startSingleTimer(Ask.class, new Ask(failed.asker), RETRY);
    }
}
