package dev.vivarium.node.membership;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;

/** Functions of the cluster's state. Pure. */
public final class Membership {
    private static final Set<MemberStatus> VOTING =
            Set.of(MemberStatus.up(), MemberStatus.leaving(), MemberStatus.exiting());
    private static final Set<MemberStatus> ENDING = Set.of(MemberStatus.exiting(), MemberStatus.down());

    private Membership() {}

    /** The name that a member announces. */
    public static Optional<String> nameOf(Member member) {
        return member.getRoles().stream()
                .filter(role -> role.startsWith(ClusterSettings.NAME_ROLE))
                .map(role -> role.substring(ClusterSettings.NAME_ROLE.length()))
                .findFirst();
    }

    /** All voting members, reachable or not, by {@link #lifeOf}. */
    public static Map<String, Member> voters(CurrentClusterState state) {
        Map<String, Member> voters = new HashMap<>();
        state.getMembers().forEach(member -> {
            if (VOTING.contains(member.status())) {
                voters.put(lifeOf(member), member);
            }
        });
        return Map.copyOf(voters);
    }

    /** The names of all members, in any status. */
    public static Set<String> names(CurrentClusterState state) {
        Set<String> names = new HashSet<>();
        state.getMembers().forEach(member -> nameOf(member).ifPresent(names::add));
        return Set.copyOf(names);
    }

    /**
     * Whether the node is a member and can reach more than half of all members, itself included. Before the resolver
     * has decided, neither half of an even split can.
     */
    static boolean isAmongMajority(CurrentClusterState state, Member self) {
        return peers(state, self).areMajorityWithout(Set.of());
    }

    /** The members as this node sees them. */
    public static Peers peers(CurrentClusterState state, Member self) {
        return new Peers(
                self.uniqueAddress(),
                StreamSupport.stream(state.getMembers().spliterator(), false)
                        .map(member -> new Peers.Peer(
                                member.uniqueAddress(),
                                VOTING.contains(member.status()),
                                !state.getUnreachable().contains(member),
                                ENDING.contains(member.status())))
                        .toList());
    }

    /** An older member with the same name. */
    public static Optional<Member> namesake(CurrentClusterState state, Member self, String role) {
        return StreamSupport.stream(state.getMembers().spliterator(), false)
                .filter(member -> !member.uniqueAddress().equals(self.uniqueAddress()))
                .filter(member -> member.hasRole(role) && member.isOlderThan(self))
                .findFirst();
    }

    /**
     * The facts about the cluster that decide on the ownership of a store.
     *
     * @param members all members, by {@link #lifeOf}
     * @param isOldest whether the node is the oldest member
     * @param seesMajority whether it can reach more than half of all members
     */
    public record Company(Set<String> members, boolean isOldest, boolean seesMajority) {
        public Company {
            members = Set.copyOf(members);
        }

        /** Whether the node acts for its cluster. */
        public boolean speaksForAll() {
            return isOldest && seesMajority;
        }
    }

    public static Company company(CurrentClusterState state, Member self) {
        Set<String> members = new HashSet<>();
        boolean isOldest = true;
        for (Member member : state.getMembers()) {
            members.add(lifeOf(member));
            isOldest &= !VOTING.contains(member.status()) || !member.isOlderThan(self);
        }
        return new Company(members, isOldest, isAmongMajority(state, self));
    }

    /** A node's address as {@code host:port}. */
    public static String placeOf(Address address) {
        return address.getHost().orElse("") + ":" + address.getPort().orElse(0);
    }

    /** One incarnation of a node: its address and a number that differs after each start. */
    public static String lifeOf(Member member) {
        return member.address().hostPort() + "#" + member.uniqueAddress().longUid();
    }
}
