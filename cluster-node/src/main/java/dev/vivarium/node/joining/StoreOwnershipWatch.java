package dev.vivarium.node.joining;

import dev.vivarium.node.membership.Membership;
import dev.vivarium.persistence.store.StoreOwnership.Hold;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What a node makes of who holds its store, look by look. A cluster holds its store through its oldest member. Whoever was
 * ever a member is followed by the next oldest; a stranger is only when its beat has stood still for {@link #SILENCE}, so
 * clocks need not agree and a store that was away favours nobody. Pure.
 *
 * @param self this node, in this life
 * @param known all members that this node has ever seen
 * @param last what was found at the look before
 * @param sinceNanos when that was first found
 */
record StoreOwnershipWatch(String self, Set<String> known, Optional<Hold> last, long sinceNanos) {
    /** A holder whose beat stands still for so long is dead; longer than a live one is ever kept from its next beat. */
    static final Duration SILENCE = Duration.ofSeconds(6);

    StoreOwnershipWatch {
        known = Set.copyOf(known);
    }

    static StoreOwnershipWatch of(String self) {
        return new StoreOwnershipWatch(self, Set.of(self), Optional.empty(), 0);
    }

    /** What a node does about what it has found. */
    enum Verdict {
        /** Its cluster holds the store. */
        OURS,
        /** It is this node's to take, or to go on holding. */
        TAKE,
        /** Nobody can say yet. */
        WAIT,
        /** Another cluster is alive on the store. */
        STRANGERS
    }

    /** A look: the verdict, and what to look at the next one with. */
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
