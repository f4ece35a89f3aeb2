package dev.vivarium.node.sandbox;

import java.time.Duration;

/**
 * Runs the two clocks of a {@link Deadline}: the guest's, which is armed again while the node's lease is renewed, and
 * the node's. Used by one Sandbox actor; not thread-safe.
 */
final class DeadlineTimers {
    private final Deadline deadline;
    private final Inbox inbox;
    private final Guest guest;

    /** Timers, as messages to the actor. */
    enum Due implements Sandbox.Command {
        /** The attempt's time is up. */
        WALL_CLOCK,
        /** The agent is to be warned that its time will be up. */
        WARNING,
        /** Time to arm the guest's clock again. */
        REARM
    }

    DeadlineTimers(Deadline deadline, Inbox inbox, Guest guest) {
        this.deadline = deadline;
        this.inbox = inbox;
        this.guest = guest;
    }

    /** Arms the guest's clock; call before the guest can start the agent. */
    void armGuest() {
        deadline.arm().ifPresent(guest::send);
        deadline.armAgainAfter().ifPresent(wait -> after(wait, Due.REARM));
    }

    /**
     * Starts the node's timers, which send {@link Due#WALL_CLOCK} and, if the run asked for it, {@link Due#WARNING}; once
     * more after the deadline was moved. A timer that is replaced sends nothing, even if it was due already.
     */
    void startOwn() {
        after(deadline.left(), Due.WALL_CLOCK);
        deadline.untilWarning().ifPresent(wait -> after(wait, Due.WARNING));
    }

    /**
     * Stops the node's timers, since the attempt is ending. The guest's clock stays armed until nothing is left to end.
     */
    void stopOwn() {
        inbox.cancel(Due.WALL_CLOCK);
        inbox.cancel(Due.WARNING);
    }

    private void after(Duration wait, Due due) {
        inbox.after(wait, due, due);
    }
}
