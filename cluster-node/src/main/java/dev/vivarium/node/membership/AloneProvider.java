package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.lang.invoke.MethodHandles;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ActorSystemImpl;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.DynamicAccess;
import org.apache.pekko.cluster.ClusterActorRefProvider;
import org.apache.pekko.event.EventStream;
import org.apache.pekko.remote.RemoteTransport;
import org.apache.pekko.remote.UniqueAddress;
import org.apache.pekko.remote.artery.ArteryTransport;
import org.jspecify.annotations.Nullable;

/**
 * Pekko's provider of a cluster's actors, with {@link AloneTransport} in place of Artery: on a machine that others use,
 * loopback is no border, and a port of the cluster's would be a door for every program on it.
 *
 * <p>Pekko makes an Artery transport inside of {@link #init} and has no setting for another one. That one is never
 * started and only asked for its address, once, so it is given one. {@code IdleNodeTest} holds this against each new
 * version of Pekko.
 */
public final class AloneProvider extends ClusterActorRefProvider {
    private volatile @Nullable AloneTransport alone;

    /** Made by Pekko from the class's name. */
    public AloneProvider(String system, ActorSystem.Settings settings, EventStream events, DynamicAccess access) {
        super(system, settings, events, access);
    }

    /** The configuration that this cluster needs beside the operator's: a node alone opens no port. */
    public static Config layer(ClusterSettings cluster) {
        return cluster.isAlone()
                ? ConfigFactory.parseString("pekko.actor.provider = \"" + AloneProvider.class.getName() + "\"")
                : ConfigFactory.empty();
    }

    @Override
    public void init(ActorSystemImpl system) {
        alone = new AloneTransport(system, this);
        super.init(system);
    }

    /** Nothing is remote for a node alone, so nothing remote can be watched. */
    @Override
    public void warnIfUseUnsafeWithoutCluster() {
        // The warning is for systems with peers.
    }

    /** First called by {@link #init}, on one thread, which is about to start what it gets; from then on by each message. */
    @Override
    public RemoteTransport transport() {
        AloneTransport transport = alone;
        if (transport == null) {
            throw new IllegalStateException("The provider has not been initialized.");
        }
        if (!transport.isStarted()) {
            address(super.transport(), transport.defaultAddress());
        }
        return transport;
    }

    private void address(RemoteTransport unused, Address address) {
        try {
            MethodHandles.privateLookupIn(ArteryTransport.class, MethodHandles.lookup())
                    .findVarHandle(ArteryTransport.class, "_localAddress", UniqueAddress.class)
                    .setVolatile((ArteryTransport) unused, new UniqueAddress(address, 0));
        } catch (ReflectiveOperationException changed) {
            throw new IllegalStateException("This version of Pekko keeps its transport's address elsewhere.", changed);
        }
    }
}
