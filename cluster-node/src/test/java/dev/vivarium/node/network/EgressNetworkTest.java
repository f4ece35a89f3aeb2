package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a node puts into this machine's kernel for its sandboxes, and what stays there. */
class EgressNetworkTest {
    private static final NodeMark DEAD = new NodeMark("dead00");
    private static final String DEAD_BLOCK = "198.18.252.0/22";
    private static final String DEAD_RULE = "priority 25 from " + DEAD_BLOCK;
    /** Of addresses, that a machine has for its nodes. */
    private static final int BLOCKS = 128;

    @AfterEach
    void removeWhatATestHasLeft() {
        TestHosts.shell("ip rule delete " + DEAD_RULE + " 2>/dev/null; nft delete table inet " + DEAD.table()
                + " 2>/dev/null; ip link delete " + DEAD.ownInterface()
                + " 2>/dev/null; ip link delete " + DEAD.publicLinks() + "7 2>/dev/null; iptables -w -D DOCKER-USER -i "
                + DEAD.links() + "+ -j ACCEPT 2>/dev/null; true");
    }

    @Test
    void aNodeThatGoesLeavesNothing() {
        // given a machine on which nothing of others is left to be swept
        Networks.open("test-egress", "node-1").close();
        String before = inKernel();

        SandboxNetwork network = Networks.open("test-egress", "node-1");
        assertThat(inKernel()).contains(Networks.tableOf(network));
        network.close();

        assertThat(inKernel()).isEqualTo(before);
    }

    @Test
    void theRemainsOfAKilledNodeAreSweptByTheNextNodeOnTheMachine() {
        leaveBehind();

        Networks.open("test-egress", "node-1").close();

        assertThat(inKernel()).doesNotContain(DEAD.text(), DEAD_BLOCK);
    }

    @Test
    void theRemainsOfAKilledNodeAreSweptAlsoAfterAFlush() {
        leaveBehind();
        TestHosts.shell("nft delete table inet " + DEAD.table());
        assertThat(inKernel()).contains(DEAD.ownInterface());

        Networks.open("test-egress", "node-1").close();

        assertThat(inKernel()).doesNotContain(DEAD.text());
    }

    @Test
    void theFilterOfAKilledNodeStaysWhileItsSandboxesHaveLinks() {
        leaveBehind();
        TestHosts.shell("ip link add " + DEAD.publicLinks() + "7 type bridge");

        Networks.open("test-egress", "node-1").close();

        assertThat(inKernel()).contains("table inet " + DEAD.table());
    }

    @Test
    void aSandboxOfAnEarlierIncarnationLosesItsLink() {
        NodeMark mark = NodeMark.of("test-egress", "node-1");
        TestHosts.shell("ip link add " + mark.publicLinks() + "7 type bridge");

        SandboxNetwork network = Networks.open("test-egress", "node-1");

        assertThat(inKernel()).doesNotContain(mark.publicLinks());
        network.close();
    }

    @Test
    void twoNodesOnAMachineLeaveEachOtherAlone() {
        SandboxNetwork first = Networks.open("test-egress", "node-1");
        SandboxNetwork second = Networks.open("test-egress", "node-2");

        assertThat(first.resolver()).isNotEqualTo(second.resolver());
        second.close();

        assertThat(inKernel()).contains(Networks.tableOf(first)).doesNotContain(Networks.tableOf(second));
        first.close();
    }

    @Test
    void nodesThatStartTogetherTakeDifferentAddresses() {
        int wanted = NodeMark.of("test-egress", "node-1").number() % BLOCKS;
        List<String> alike = IntStream.range(1, 10_000)
                .mapToObj(number -> "node-" + number)
                .filter(node -> NodeMark.of("test-egress", node).number() % BLOCKS == wanted)
                .limit(4)
                .toList();

        List<SandboxNetwork> networks = alike.stream()
                .map(node -> CompletableFuture.supplyAsync(
                        () -> Networks.open("test-egress", node), task -> new Thread(task).start()))
                .toList()
                .stream()
                .map(CompletableFuture::join)
                .toList();

        assertThat(networks.stream().map(SandboxNetwork::resolver).distinct()).hasSameSizeAs(alike);
        networks.forEach(SandboxNetwork::close);
    }

    @Test
    void aSecondNodeOfTheSameNameGetsNoNetwork() {
        SandboxNetwork first = Networks.open("test-egress", "node-1");

        assertThatThrownBy(() -> EgressNetwork.open(
                        "test-egress",
                        "node-1",
                        EgressSettings.from(ConfigFactory.load().getConfig("vivarium.egress"))))
                .isInstanceOf(IOException.class)
                .hasMessage("another node of this name and installation runs on this machine.");
        first.close();
    }

    /** As a node that was killed does. */
    private static void leaveBehind() {
        TestHosts.shell("nft add table inet " + DEAD.table() + " && ip link add " + DEAD.ownInterface()
                + " type bridge && ip addr add 198.18.255.1/32 dev " + DEAD.ownInterface()
                + " && ip rule add " + DEAD_RULE + " blackhole"
                + " && { iptables -w -I DOCKER-USER -i " + DEAD.links() + "+ -j ACCEPT || true; }");
    }

    private static String inKernel() {
        return TestHosts.shell(
                "nft list tables; ip -br link | awk '{print $1}' | grep ^vv; iptables -w -S; ip -4 rule | grep"
                        + " 198.1[89]; true");
    }
}
