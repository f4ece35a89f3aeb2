package dev.vivarium.node.sandbox;

import dev.vivarium.node.sandbox.Sandbox.Renew;
import dev.vivarium.node.sandbox.SandboxReport.RenewalRefusal;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Moves an attempt's deadline, on both of its clocks, so that no renewal that was reported is followed by a kill at the
 * deadline before it. The guest's clock is armed first, for the new deadline; a ping behind it, answered, says that the
 * guest has it. Only then the node's own timer moves, unless its time has come in between: then the renewal is refused,
 * and the guest's clock is armed for the node's deadline again. Each decision is one step of the Sandbox actor, whose
 * end takes a step too: whichever comes first stands.
 *
 * <p>Used by one Sandbox actor; not thread-safe.
 */
final class Renewals {
    /** The most renewals that a guest may owe an answer for; further ones are refused. */
    static final int UNCONFIRMED_MAX = 16;

    private final Deadline deadline;
    private final DeadlineTimers timers;
    private final UsageMonitor usage;
    private final Guest guest;
    private final Reporter reporter;
    private final Map<Integer, Renew> unconfirmed = new LinkedHashMap<>();
    private Limits inForce;
    private int lastPing;

    Renewals(
            Limits limits,
            Deadline deadline,
            DeadlineTimers timers,
            UsageMonitor usage,
            Guest guest,
            Reporter reporter) {
        this.inForce = limits;
        this.deadline = deadline;
        this.timers = timers;
        this.usage = usage;
        this.guest = guest;
        this.reporter = reporter;
    }

    /** The limits in force. */
    Limits inForce() {
        return inForce;
    }

    /** Before the clocks have started there is nothing to race with. */
    void beforeTheStart(Renew renew) {
        deadline.tellGuest(wallClock(renew));
        enforce(renew);
    }

    /** While the clocks run: the guest is asked first, and {@link #heard} has its answer. */
    void ask(Renew renew) {
        Duration next = wallClock(renew);
        Optional<RenewalRefusal> refusal = objection(next);
        if (refusal.isPresent()) {
            reporter.notRenewed(renew.number(), refusal.get());
            return;
        }
        deadline.tellGuest(next);
        timers.armGuest();
        unconfirmed.put(++lastPing, renew);
        guest.send(new NodeFrame.Ping(lastPing));
    }

    private Optional<RenewalRefusal> objection(Duration next) {
        if (deadline.isPast()) {
            return Optional.of(RenewalRefusal.TOO_LATE);
        } else if (!deadline.isToCome(next)) {
            return Optional.of(RenewalRefusal.ALREADY_PAST);
        }
        return unconfirmed.size() >= UNCONFIRMED_MAX ? Optional.of(RenewalRefusal.TOO_MANY_AT_ONCE) : Optional.empty();
    }

    /** Handles a frame that may confirm a renewal. Returns whether the node's timers must start anew. */
    boolean heard(GuestFrame frame) {
        Renew renew = frame instanceof GuestFrame.Pong pong ? unconfirmed.remove(pong.request()) : null;
        if (renew == null) {
            return false;
        }
        if (deadline.isPast()) {
            deadline.withdraw();
            timers.armGuest();
            reporter.notRenewed(renew.number(), RenewalRefusal.TOO_LATE);
            return false;
        }
        return enforce(renew);
    }

    private boolean enforce(Renew renew) {
        boolean moves = deadline.moveTo(wallClock(renew));
        inForce = renew.limits();
        usage.renewed(inForce);
        reporter.renewed(renew.number());
        return moves;
    }

    /** The attempt is ending: what was not confirmed before is too late. */
    void over() {
        unconfirmed.values().forEach(this::tooLate);
        unconfirmed.clear();
    }

    /** The attempt was ending already. */
    void tooLate(Renew renew) {
        reporter.notRenewed(renew.number(), RenewalRefusal.TOO_LATE);
    }

    private static Duration wallClock(Renew renew) {
        return renew.limits().get(Limit.WALL_CLOCK).duration();
    }
}
