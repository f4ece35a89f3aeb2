package dev.vivarium.node.driver.guest;

import dev.vivarium.node.driver.ChannelListener.ClosedBecause;

/** Carries the reason for a channel's end through the call stack of its reader. */
final class ChannelEndedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient ClosedBecause why;

    ChannelEndedException(ClosedBecause why) {
        super(why.detail());
        this.why = why;
    }

    ClosedBecause why() {
        return why;
    }
}
