package dev.vivarium.node.membership;

import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.event.Logging;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.remote.RemoteActorRef;
import org.apache.pekko.remote.RemoteActorRefProvider;
import org.apache.pekko.remote.RemoteTransport;
import scala.Option;
import scala.collection.immutable.Set;
import scala.concurrent.Future;

/**
 * The transport of a cluster of one: it has an address, opens no port, and has no peer to send to. Port 0 in the address
 * says so, since nothing can listen there.
 */
final class AloneTransport extends RemoteTransport {
    private final Address address;
    private final LoggingAdapter log;
    private volatile boolean started;

    AloneTransport(ExtendedActorSystem system, RemoteActorRefProvider provider) {
        super(system, provider);
        this.address = new Address(
                provider.remoteSettings().ProtocolName(),
                system.name(),
                system.settings().config().getString("pekko.remote.artery.canonical.hostname"),
                0);
        this.log = Logging.getLogger(system, AloneTransport.class);
    }

    @Override
    public void start() {
        started = true;
    }

    boolean isStarted() {
        return started;
    }

    @Override
    public Future<Done> shutdown() {
        return Future.successful(Done.getInstance());
    }

    @Override
    public Set<Address> addresses() {
        return scala.collection.immutable.Set$.MODULE$.<Address>empty().$plus(address);
    }

    @Override
    public Address defaultAddress() {
        return address;
    }

    @Override
    public Address localAddressForRemote(Address remote) {
        return address;
    }

    @Override
    public void send(Object message, ActorRef sender, RemoteActorRef recipient) {
        log.warning(
                "A node alone has no peers: a {} for {} is dropped",
                message.getClass().getName(),
                recipient);
    }

    @Override
    public void quarantine(Address peer, Option<Object> uid, String reason) {
        log.warning("A node alone has no peers: {} cannot be quarantined ({})", peer, reason);
    }

    @Override
    public LoggingAdapter log() {
        return log;
    }
}
