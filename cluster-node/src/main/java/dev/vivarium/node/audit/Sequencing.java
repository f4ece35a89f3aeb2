package dev.vivarium.node.audit;

import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.AuditSequencer;
import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.SingletonActor;

/**
 * The cluster's sequencer of events: a singleton that owns an {@link AuditSequencer}, which ends with it. The cluster only
 * decides where it runs; that two never write, as in a split or after a freeze, is the store's part.
 */
final class Sequencing {
    private static final String NAME = "audit-sequencer";

    private Sequencing() {}

    /** Its commands. */
    sealed interface Command extends AuditMessage {}

    /** Runs that a node has written to. */
    record Changed(Set<RunId> runs) implements Command {
        Changed {
            runs = Set.copyOf(runs);
        }
    }

    /** The singleton moves to another node. */
    record HandOver() implements Command {}

    /** Starts the singleton; every node calls it and gets the way to it. */
    static ActorRef<Command> start(ActorSystem<?> system, AuditLog audit) {
        return ClusterSingleton.get(system)
                .init(SingletonActor.of(create(audit), NAME)
                        // Its end waits for the batch that is being written.
                        .withProps(DispatcherSelector.blocking())
                        .withStopMessage(new HandOver()));
    }

    private static Behavior<Command> create(AuditLog audit) {
        return Behaviors.setup(context -> {
            AuditSequencer sequencer = audit.sequence();
            return Behaviors.receive(Command.class)
                    .onMessage(Changed.class, changed -> {
                        audit.changed(changed.runs());
                        return Behaviors.same();
                    })
                    .onMessage(HandOver.class, handOver -> Behaviors.stopped())
                    .onSignal(PostStop.class, stopped -> {
                        sequencer.close();
                        return Behaviors.same();
                    })
                    .build();
        });
    }
}
