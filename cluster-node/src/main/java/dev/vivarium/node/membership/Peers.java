package dev.vivarium.node.membership;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;

/**
 * A member's view of all members. Pure.
 *
 * @param self the viewing member
 * @param members all of them, itself included
 */
public record Peers(UniqueAddress self, List<Peer> members) {
    private static final Comparator<UniqueAddress> IN_A_RING =
            Comparator.comparing(UniqueAddress::address, Address.addressOrdering());

    /**
     * A member.
     *
     * @param life its address and incarnation
     * @param votes whether it counts for a majority
     * @param seen whether it is reachable
     * @param isLeaving whether it is leaving or downed, and only waits for removal
     */
    record Peer(UniqueAddress life, boolean votes, boolean seen, boolean isLeaving) {}

    public Peers {
        members = List.copyOf(members);
    }

    /** The next members in a ring of all, so that in a large cluster each is watched by a few, and by at least one. */
    List<Peer> successors(int most) {
        List<Peer> others = members.stream()
                .filter(peer -> !peer.life.equals(self) && !peer.isLeaving)
                .sorted(Comparator.comparing(Peer::life, IN_A_RING))
                .toList();
        Stream<Peer> after = others.stream().filter(peer -> IN_A_RING.compare(peer.life, self) > 0);
        Stream<Peer> before = others.stream().filter(peer -> IN_A_RING.compare(peer.life, self) <= 0);
        return Stream.concat(after, before).limit(most).toList();
    }

    /**
     * Another member that is not about to be removed anyway.
     *
     * @param place its host:port
     */
    public Optional<UniqueAddress> at(String place) {
        return members.stream()
                .filter(peer -> !peer.isLeaving && !peer.life.equals(self))
                .map(Peer::life)
                .filter(life -> Membership.placeOf(life.address()).equals(place))
                .findFirst();
    }

    /** Whether the reachable members without the gone ones, this one included, are more than half of all voters. */
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
