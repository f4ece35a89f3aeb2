package dev.vivarium.node.joining;

import java.util.concurrent.CountDownLatch;
import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;
import org.apache.pekko.actor.ExtensionIdProvider;
import org.apache.pekko.actor.Props;

/** An extension (pekko.extensions) that gives an actor system an actor that does not stop until it is released. */
public final class StubbornActor extends AbstractExtensionId<StubbornActor.Started> implements ExtensionIdProvider {
    static final CountDownLatch LET_GO = new CountDownLatch(1);

    @Override
    public StubbornActor lookup() {
        return this;
    }

    @Override
    public Started createExtension(ExtendedActorSystem system) {
        system.systemActorOf(Props.create(Stubborn.class, Stubborn::new), "stubborn");
        return new Started();
    }

    /** The extension's instance. */
    public static final class Started implements Extension {}

    private static final class Stubborn extends AbstractActor {
        @Override
        public Receive createReceive() {
            return receiveBuilder().build();
        }

        @Override
        public void postStop() throws InterruptedException {
            LET_GO.await();
        }
    }
}
