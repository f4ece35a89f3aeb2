package dev.vivarium.node.run.sharding;

import dev.vivarium.persistence.store.RememberedRuns;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;
import org.apache.pekko.actor.typed.javadsl.Adapter;

/** The source of an actor system's remembered runs, for actors that Cluster Sharding instantiates. */
final class RememberedSource implements Extension {
    private static final Id ID = new Id();

    private final AtomicReference<RememberedRuns> runs = new AtomicReference<>();

    /** Sets the source; call before the shard region starts. */
    static void set(org.apache.pekko.actor.typed.ActorSystem<?> system, RememberedRuns remembered) {
        system.registerExtension(ID).runs.set(remembered);
    }

    static RememberedRuns runs(ActorSystem system) {
        RememberedRuns set = Adapter.toTyped(system).registerExtension(ID).runs.get();
        if (set == null) {
            throw new IllegalStateException(
                    "The shard region was started before the source of remembered runs was set.");
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
