package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** The Sandbox actor's view of its guest; drops what is sent before the channel is open. */
final class Guest {
    private Optional<SandboxChannel> channel = Optional.empty();

    /** Messages to the actor about the guest. */
    sealed interface Message extends Sandbox.Command {
        /** The guest's sandbox, which may be one that was given up while the message was on its way. */
        SandboxId from();
    }

    /** The guest sent a frame, which must be confirmed. */
    record FrameArrived(SandboxId from, GuestFrame frame) implements Message {}

    /** The channel has ended; nothing more follows. */
    record ChannelEnded(SandboxId from, ChannelListener.ClosedBecause why) implements Message {}

    /** A listener to the sandbox's guest that forwards to the actor. */
    static ChannelListener listener(SandboxId sandbox, ActorRef<Sandbox.Command> actor) {
        return new ChannelListener() {
            @Override
            public void onFrame(GuestFrame frame) {
                actor.tell(new FrameArrived(sandbox, frame));
            }

            @Override
            public void onClosed(ClosedBecause why) {
                actor.tell(new ChannelEnded(sandbox, why));
            }
        };
    }

    void open(SandboxChannel opened) {
        channel = Optional.of(opened);
    }

    void send(NodeFrame frame) {
        channel.ifPresent(open -> open.send(frame));
    }

    /** Confirms that one more frame was handled. */
    void confirm() {
        channel.ifPresent(SandboxChannel::confirm);
    }

    /** Closes the channel; the guest then kills everything and exits. Idempotent. */
    void close() {
        channel.ifPresent(SandboxChannel::close);
    }
}
