package dev.vivarium.node.network;

import io.netty.channel.Channel;

/** Closes connections without waiting: if closing fails, they are closed as well. */
public final class Closing {
    private Closing() {}

    /** Closes a channel. */
    public static void of(Channel channel) {
        channel.close().addListener(closed -> {});
    }
}
