package dev.vivarium.node.acts;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.ActId;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes acts to the journal; each has a short-lived actor. */
public final class JournaledActs implements Acts {
    private static final Logger LOG = LoggerFactory.getLogger(JournaledActs.class);

    private final ActorSystem<?> system;
    private final String node;
    private final Clock clock;

    /** @param node this node's name */
    public JournaledActs(ActorSystem<?> system, String node, Clock clock) {
        this.system = system;
        this.node = node;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Done> record(BiFunction<Instant, String, Act> act) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        ActId id = id(now);
        CompletableFuture<Done> recorded = new CompletableFuture<>();
        try {
            system.systemActorOf(ActRecording.create(id, act.apply(now, node), recorded), "act-" + id, Props.empty());
        } catch (IllegalStateException stopping) {
            recorded.completeExceptionally(stopping);
        }
        return recorded;
    }

    @Override
    public void note(BiFunction<Instant, String, Act> act) {
        record(act).exceptionally(failed -> {
            LOG.warn("An act is not on record: {}", failed.getMessage());
            return Done.getInstance();
        });
    }

    private static ActId id(Instant now) {
        return new ActId(ActId.FIRST
                + UlidCreator.getUlid(now.toEpochMilli())
                        .toString()
                        .toLowerCase(Locale.ROOT)
                        .substring(1));
    }
}
