package dev.vivarium.node.cluster;

import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.sandbox.LiveSandboxes;
import dev.vivarium.node.sandbox.Reaper;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;

/** The root of a node's actors: joins the cluster, and then holds the reaper. Stops with the system. */
final class Guardian {
    private Guardian() {}

    /** What the guardian understands. */
    sealed interface Command {}

    /** Starts the reaper. */
    record Sweep(SandboxDriver driver, LiveSandboxes live, Duration interval) implements Command {}

    private record Up() implements Command {}

    /** A guardian that forms a cluster of one, and says when it has. */
    static Behavior<Command> create(CompletableFuture<Done> joined) {
        return Behaviors.setup(context -> {
            Cluster cluster = Cluster.get(context.getSystem());
            ActorRef<SelfUp> up = context.messageAdapter(SelfUp.class, event -> new Up());
            cluster.subscriptions().tell(Subscribe.create(up, SelfUp.class));
            cluster.manager().tell(Join.create(cluster.selfMember().address()));
            return Behaviors.receive(Command.class)
                    .onMessage(Up.class, event -> {
                        joined.complete(Done.getInstance());
                        return Behaviors.same();
                    })
                    .onMessage(Sweep.class, sweep -> {
                        context.spawn(Reaper.create(sweep.driver, sweep.live, sweep.interval), "reaper");
                        return Behaviors.same();
                    })
                    .build();
        });
    }
}
