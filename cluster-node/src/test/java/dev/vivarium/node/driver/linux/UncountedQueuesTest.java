package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UncountedQueuesTest {
    private static final String NETLINK =
            "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n";
    private static final String ICMP =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";

    @TempDir
    private Path net;

    @Test
    void queuesOfNetlinkAndIcmpSocketsAreChargedToTheSandbox() throws Exception {
        Files.writeString(
                net.resolve("netlink"),
                NETLINK
                        + "00000000e0359a4b 0   1966       00000000 4096     512      0     2        0        5380    \n"
                        + "00000000804f166f 0   0          00000000 8        0        0     2        0        4       \n");
        Files.writeString(
                net.resolve("icmp"),
                ICMP
                        + "   1: 0100007F:0001 0100007F:0000 01 00000000:00001000 00:00000000 00000000  1000        0 53 2 0000 0\n");

        assertThat(new UncountedQueues(net).bytes()).isEqualTo(4096 + 512 + 8 + 0x1000);
    }

    @Test
    void anEndedSandboxHasNoQueues() {
        assertThat(new UncountedQueues(net.resolve("gone")).bytes()).isZero();
    }

    @Test
    void socketsBeyondTheScanLimitCountAsFull() throws Exception {
        String line = "00000000e0359a4b 0   1966       00000000 0        0        0     2        0        5380    \n";
        Files.writeString(net.resolve("netlink"), NETLINK + line.repeat(10_000));

        assertThat(new UncountedQueues(net).bytes()).isGreaterThan(1L << 30);
    }
}
