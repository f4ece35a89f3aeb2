package dev.vivarium.node.membership;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.membership.Peers.Peer;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;
import org.junit.jupiter.api.Test;

class PeersTest {
    @Test
    void eachNodeWatchesItsSuccessorsInARing() {
        List<Peer> all = IntStream.rangeClosed(1, 5).mapToObj(PeersTest::seen).toList();

        assertThat(new Peers(life(1), all).successors(3)).containsExactly(seen(2), seen(3), seen(4));
        assertThat(new Peers(life(4), all).successors(3)).containsExactly(seen(5), seen(1), seen(2));
        assertThat(new Peers(life(2), all).successors(9)).containsExactly(seen(3), seen(4), seen(5), seen(1));
        assertThat(new Peers(life(1), List.of(seen(1))).successors(3)).isEmpty();
    }

    @Test
    void leavingNodesAreNotWatched() {
        Peer leaving = new Peer(life(2), true, true, true);

        assertThat(new Peers(life(1), List.of(seen(1), leaving, seen(3))).successors(3))
                .containsExactly(seen(3));
    }

    @Test
    void twoOfThreeAreAMajorityAndOneOfTwoIsNot() {
        Peers three = new Peers(life(1), List.of(seen(1), seen(2), seen(3)));
        Peers two = new Peers(life(1), List.of(seen(1), seen(2)));

        assertThat(three.areMajorityWithout(Set.of())).isTrue();
        assertThat(three.areMajorityWithout(Set.of(life(2)))).isTrue();
        assertThat(three.areMajorityWithout(Set.of(life(2), life(3)))).isFalse();
        assertThat(two.areMajorityWithout(Set.of(life(2)))).isFalse();
    }

    @Test
    void unreachableNodesDoNotCountForTheMajority() {
        Peers five = new Peers(life(1), List.of(seen(1), seen(2), seen(3), unseen(4), unseen(5)));

        assertThat(five.areMajorityWithout(Set.of(life(4)))).isTrue();
        assertThat(five.areMajorityWithout(Set.of(life(2)))).isFalse();
    }

    @Test
    void joiningNodesCountOnNoSide() {
        Peer joining = new Peer(life(3), false, true, false);

        assertThat(new Peers(life(1), List.of(seen(1), seen(2), joining)).areMajorityWithout(Set.of(life(2))))
                .isFalse();
        assertThat(new Peers(life(3), List.of(seen(1), seen(2), joining)).areMajorityWithout(Set.of()))
                .isFalse();
    }

    static UniqueAddress life(int number) {
        return UniqueAddress.apply(Address.apply("pekko", "vivarium", "127.0.0." + number, 25_520), (long) number);
    }

    static Peer seen(int number) {
        return new Peer(life(number), true, true, false);
    }

    private static Peer unseen(int number) {
        return new Peer(life(number), true, false, false);
    }
}
