package dev.vivarium.node.membership;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;

/**
 * The members of a cluster as one of them sees them. Pure.
 *
 * @param self the one that sees them
 * @param members all of them, itself included
 */
public record Peers(UniqueAddress self, List<Peer> members) {
    private static final Comparator<UniqueAddress> IN_A_RING =
            Comparator.comparing(UniqueAddress::address, Address.addressOrdering());

    /**
     * A member.
     *
     * @param life its address and which of its lives there
     * @param votes whether it counts for a majority
     * @param seen whether everybody can reach it
     * @param isLeaving whether it ends in order, or was given up, and is only to be taken off the list
     */
    record Peer(UniqueAddress life, boolean votes, boolean seen, boolean isLeaving) {}

    public Peers {
        members = List.copyOf(members);
    }

    /** Those that follow in a ring of all, so that in a large cluster each is looked after by a few and none by nobody. */
    List<Peer> successors(int most) {
        List<Peer> others = members.stream()
                .filter(peer -> !peer.life.equals(self) && !peer.isLeaving)
                .sorted(Comparator.comparing(Peer::life, IN_A_RING))
                .toList();
        Stream<Peer> after = others.stream().filter(peer -> IN_A_RING.compare(peer.life, self) > 0);
        Stream<Peer> before = others.stream().filter(peer -> IN_A_RING.compare(peer.life, self) <= 0);
        return Stream.concat(after, before).limit(most).toList();
    }

    /** Whether those that are seen and not among the gone are more than half of all that vote, this one among them. */
    boolean areMajorityWithout(Set<UniqueAddress> gone) {
        if (members.stream().noneMatch(peer -> peer.life.equals(self) && peer.votes)) {
            return false;
        }
        long voting = members.stream().filter(Peer::votes).count();
        long left = members.stream()
                .filter(peer -> peer.votes && peer.seen && !gone.contains(peer.life))
                .count();
        return 2 * left > voting;
    }
}
