package dev.vivarium.node.membership;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.MemberStatus;

/** Management's check whether the node is a member of a cluster. Instantiated by Pekko Management, by class name. */
public final class JoinedCheck implements Supplier<CompletionStage<Boolean>> {
    private final Cluster cluster;

    public JoinedCheck(ActorSystem system) {
        this.cluster = Cluster.get(system);
    }

    @Override
    public CompletionStage<Boolean> get() {
        return CompletableFuture.completedStage(cluster.selfMember().status().equals(MemberStatus.up()));
    }
}
