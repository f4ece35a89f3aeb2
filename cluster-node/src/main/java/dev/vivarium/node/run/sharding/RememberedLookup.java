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
 * Answers Cluster Sharding's queries for remembered runs as soon as the store answers; retries while the store is
 * unavailable. A classic actor, since sharding uses classic messages.
 */
abstract class RememberedLookup extends AbstractActorWithTimers {
    private static final Duration RETRY = Duration.ofMillis(500);

    private final Logger log = LoggerFactory.getLogger(getClass());
    private final RememberedRuns remembered = RememberedSource.runs(getContext().getSystem());
    private final String waiting;

    /** @param waiting describes the waiting component, for the log */
    RememberedLookup(String waiting) {
        this.waiting = waiting;
    }

    private record Found(Set<String> names, ActorRef asker) {}

    private record Failed(String reason, ActorRef asker) {}

    private record Ask(ActorRef asker) {}

    /** Reads the names from the store. */
    abstract CompletionStage<Set<String>> recall(RememberedRuns from);

    /** The names as sharding's message. */
    abstract Object answer(scala.collection.immutable.Set<String> names);

    /** This actor's messages: the query, and its own. */
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
