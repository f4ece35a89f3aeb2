package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** The guest of one sandbox, as its actor talks to it: deaf and silent until the channel to it is open. */
final class Guest {
    private Optional<SandboxChannel> channel = Optional.empty();

    /** What comes from the guest, as messages to the actor. */
    sealed interface Message extends Sandbox.Command {}

    /** The guest said something; to be confirmed. */
    record FrameArrived(GuestFrame frame) implements Message {}

    /** Nothing more will come. */
    record ChannelEnded(ChannelListener.ClosedBecause why) implements Message {}

    /** Hears the guest for the actor. */
    static ChannelListener listener(ActorRef<Sandbox.Command> actor) {
        return new ChannelListener() {
            @Override
            public void onFrame(GuestFrame frame) {
                actor.tell(new FrameArrived(frame));
            }

            @Override
            public void onClosed(ClosedBecause why) {
                actor.tell(new ChannelEnded(why));
            }
        };
    }

    void open(SandboxChannel opened) {
        channel = Optional.of(opened);
    }

    void send(NodeFrame frame) {
        channel.ifPresent(open -> open.send(frame));
    }

    /** One more frame was dealt with. */
    void confirm() {
        channel.ifPresent(SandboxChannel::confirm);
    }

    /** Closes the channel; the guest then kills everything and exits. Idempotent. */
    void close() {
        channel.ifPresent(SandboxChannel::close);
    }
}
