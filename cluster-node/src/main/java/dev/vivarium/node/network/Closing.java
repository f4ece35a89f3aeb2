package dev.vivarium.node.network;

import io.netty.channel.Channel;

/** Closes connections where nobody waits for it: what goes wrong on the way leaves them closed as well. */
public final class Closing {
    private Closing() {}

    /** Closes a channel. */
    public static void of(Channel channel) {
        channel.close().addListener(closed -> {});
    }
}
