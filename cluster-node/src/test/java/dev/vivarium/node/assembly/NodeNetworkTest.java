package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class NodeNetworkTest {
    @Test
    void aMissingOrUnreadableFileIsExplained() {
        assertThat(NodeNetwork.reason(new NoSuchFileException("/proc/sys/net/netfilter")))
                .isEqualTo("/proc/sys/net/netfilter is not there: the kernel lacks that feature, or hides it from this"
                        + " node.");
        assertThat(NodeNetwork.reason(new AccessDeniedException("/proc/sys/net/x")))
                .isEqualTo("/proc/sys/net/x is closed to this node's account: start the node as root.");
        assertThat(NodeNetwork.reason(new IOException("this machine does not forward packets.")))
                .isEqualTo("this machine does not forward packets.");
        assertThat(NodeNetwork.reason(new IOException("Cannot run program \"ip\": error=2, No such file or directory")))
                .endsWith("install iproute2, nftables and iptables.");
        assertThat(NodeNetwork.reason(new IOException())).isEqualTo("java.io.IOException.");
    }
}
