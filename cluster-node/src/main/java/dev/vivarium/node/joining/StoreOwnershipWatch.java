package dev.vivarium.node.joining;

import dev.vivarium.node.membership.Membership;
import dev.vivarium.persistence.store.StoreOwnership.Hold;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A node's conclusions from its store's ownership, poll by poll. A cluster owns its store through its oldest member. A
 * known member is succeeded by the next oldest at once; a stranger only after its heartbeat has stood still for {@link
 * #SILENCE}, so that clocks need not agree and an outage of the store favours no one. Pure.
 *
 * @param self this node's current incarnation
 * @param known all members ever seen by this node
 * @param last the ownership at the last poll
 * @param sinceNanos when that was first seen
 */
record StoreOwnershipWatch(String self, Set<String> known, Optional<Hold> last, long sinceNanos) {
    /** An owner whose heartbeat stands still for this long is dead; longer than a live owner can be delayed. */
    static final Duration SILENCE = Duration.ofSeconds(6);

    StoreOwnershipWatch {
        known = Set.copyOf(known);
    }

    static StoreOwnershipWatch of(String self) {
        return new StoreOwnershipWatch(self, Set.of(self), Optional.empty(), 0);
    }

    /** What to do. */
    enum Verdict {
        /** This node's cluster owns the store. */
        OURS,
        /** This node must take or renew the ownership. */
        TAKE,
        /** It cannot be decided yet. */
        WAIT,
        /** Another live cluster owns the store. */
        STRANGERS
    }

    /** A poll's verdict, and the state for the next poll. */
    record Look(Verdict verdict, StoreOwnershipWatch next) {}

    Look look(Hold found, Membership.Company company, long nowNanos) {
        Set<String> seen = new HashSet<>(known);
        seen.addAll(company.members());
        boolean isNew = !last.equals(Optional.of(found));
        StoreOwnershipWatch next =
                new StoreOwnershipWatch(self, seen, Optional.of(found), isNew ? nowNanos : sinceNanos);
        boolean isStranger = !found.isFree() && !seen.contains(found.holder());
        if (!isStranger) {
            boolean isMine = found.holder().equals(self) ? company.seesMajority() : company.speaksForAll();
            return new Look(isMine ? Verdict.TAKE : found.isFree() ? Verdict.WAIT : Verdict.OURS, next);
        }
        if (isNew && last.isPresent()) {
            return new Look(Verdict.STRANGERS, next);
        }
        boolean isDead = nowNanos - next.sinceNanos() >= SILENCE.toNanos();
        return new Look(isDead && company.speaksForAll() ? Verdict.TAKE : Verdict.WAIT, next);
    }
}
