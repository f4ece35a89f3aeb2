package dev.vivarium.node.run.sharding;

import dev.vivarium.persistence.store.RememberedRuns;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;
import org.apache.pekko.actor.typed.javadsl.Adapter;

/** Where an actor system's remembered runs are, for actors that Cluster Sharding makes without asking us. */
final class RememberedSource implements Extension {
    private static final Id ID = new Id();

    private final AtomicReference<RememberedRuns> runs = new AtomicReference<>();

    /** Says where they are; to be called before the shard region is started. */
    static void set(org.apache.pekko.actor.typed.ActorSystem<?> system, RememberedRuns remembered) {
        system.registerExtension(ID).runs.set(remembered);
    }

    static RememberedRuns runs(ActorSystem system) {
        RememberedRuns set = Adapter.toTyped(system).registerExtension(ID).runs.get();
        if (set == null) {
            throw new IllegalStateException("The shard region was started before it was told where runs are.");
        }
        return set;
    }

    private static final class Id extends ExtensionId<RememberedSource> {
        @Override
        public RememberedSource createExtension(org.apache.pekko.actor.typed.ActorSystem<?> system) {
            return new RememberedSource();
        }
    }
}
