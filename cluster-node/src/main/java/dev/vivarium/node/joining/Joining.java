package dev.vivarium.node.joining;

import com.typesafe.config.Config;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.node.membership.ClusterTls;
import dev.vivarium.node.membership.Fencing;
import dev.vivarium.node.run.sharding.ShardDirectory;
import dev.vivarium.persistence.store.StoreOwnership;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.management.cluster.bootstrap.ClusterBootstrap;
import org.apache.pekko.management.javadsl.PekkoManagement;

/** How a node joins its cluster, and the errors when it cannot. */
public final class Joining {
    private Joining() {}

    /** Starts the actor system and its joining. */
    public static ActorSystem<Guardian.Command> begin(
            Config config,
            ClusterSettings settings,
            Fencing fencing,
            Optional<StoreOwnership> hold,
            CompletableFuture<Done> joined,
            Optional<ClusterTls> tls)
            throws NodeStartException {
        ActorSystem<Guardian.Command> system;
        ActorSystemSetup setup = ActorSystemSetup.create(BootstrapSetup.create(config));
        try {
            system = ActorSystem.create(
                    Guardian.create(settings, fencing, hold, joined),
                    ClusterSettings.SYSTEM,
                    tls.map(secured -> setup.withSetup(secured.setup())).orElse(setup));
        } catch (RuntimeException failed) {
            throw cannotListen(config, failed);
        }
        try {
            // The management port must answer before the node is a member.
            ShardDirectory.open(system);
            system.tell(new Guardian.Enter());
            openManagement(system, config, settings);
            return system;
        } catch (NodeStartException failed) {
            system.terminate();
            throw failed;
        }
    }

    private static NodeStartException cannotListen(Config config, RuntimeException failed) {
        String address = config.getString("vivarium.cluster.host") + ":" + config.getInt("vivarium.cluster.port");
        return new NodeStartException(
                "The cluster's port cannot be opened at " + address + ": " + rootMessage(failed)
                        + ". Is another node running there? Each needs its own address: vivarium.cluster.host and port.",
                failed);
    }

    private static void openManagement(ActorSystem<?> system, Config config, ClusterSettings settings)
            throws NodeStartException {
        boolean bootstrap = settings.formation() == ClusterSettings.Formation.BOOTSTRAP;
        if (!bootstrap && !config.getBoolean("vivarium.cluster.management.enabled")) {
            return;
        }
        String address = config.getString("vivarium.cluster.management.host") + ":"
                + config.getInt("vivarium.cluster.management.port");
        try {
            PekkoManagement.get(system)
                    .start()
                    .toCompletableFuture()
                    .get(settings.joinTimeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException failed) {
            throw new NodeStartException(
                    "The management port cannot be opened at " + address + ": " + rootMessage(failed)
                            + ". Choose another one with vivarium.cluster.management.",
                    failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NodeStartException("Interrupted while opening the management port.", interrupted);
        }
        if (bootstrap) {
            ClusterBootstrap.get(system).start();
        }
    }

    /** Waits until the node is a member with a unique name. */
    public static void await(
            ActorSystem<?> system,
            Config config,
            ClusterSettings settings,
            CompletableFuture<Done> joined,
            Optional<ClusterTls> tls)
            throws NodeStartException {
        CompletableFuture<Done> ended = system.getWhenTerminated().toCompletableFuture();
        try {
            CompletableFuture.anyOf(joined, ended).get(settings.joinTimeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof NodeStartException refusal) {
                throw refusal;
            }
            throw new NodeStartException("The node cannot join its cluster: " + rootMessage(failed), failed);
        } catch (TimeoutException late) {
            throw new NodeStartException(
                    nobodyAnswers(config, settings)
                            + tls.flatMap(ClusterTls::lastRefusal)
                                    .map(refusal -> " This node has refused one: " + refusal + ".")
                                    .orElse(""),
                    late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NodeStartException("Interrupted while joining the cluster.", interrupted);
        }
        if (!joined.isDone()) {
            String life = JoinHandshake.from(config).life();
            throw new NodeStartException(
                    JoinHandshakeChecker.objection(life)
                            .map(objection -> "This node may not join the cluster that it found: " + objection + ".")
                            .orElse(
                                    "The cluster that this node found refuses it as incompatible; the logs of its nodes say why."));
        }
    }

    private static String nobodyAnswers(Config config, ClusterSettings settings) {
        long seconds = settings.joinTimeout().toSeconds();
        return switch (settings.formation()) {
            case ALONE -> "The node could not form a cluster of its own within " + seconds + " s; see the log.";
            case SEEDS -> "No cluster took this node in within " + seconds + " s. Are these the nodes to ask"
                    + " (vivarium.cluster.seeds), do they run, and is their port reachable: "
                    + settings.seeds().stream().map(Address::hostPort).collect(Collectors.joining(", "))
                    + "? The first of the list must run for a new cluster to form.";
            case BOOTSTRAP -> "No cluster was found or formed within " + seconds + " s. Does discovery ("
                    + config.getString("vivarium.cluster.bootstrap.discovery") + ") know at least "
                    + config.getInt("vivarium.cluster.bootstrap.required-contact-points")
                    + " nodes of the service \"" + config.getString("vivarium.cluster.bootstrap.service")
                    + "\", and is the management port of each reachable?";
        };
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }
}
