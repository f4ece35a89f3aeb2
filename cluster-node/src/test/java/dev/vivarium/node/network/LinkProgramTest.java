package dev.vivarium.node.network;

import static dev.vivarium.node.network.TestHosts.shell;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinkProgramTest {
    /** No node has a mark like this. */
    private static final String LINK = "vvtestp1";

    private static final String ADDRESS = "198.18.255.7";
    private static final String OWN = "198.18.255.1";

    @TempDir
    private Path folder;

    private LinkProgram program;
    private Process sandbox;

    @BeforeEach
    void start() throws IOException {
        Networks.requireRoot();
        program = new LinkProgram(folder);
        sandbox = new ProcessBuilder("unshare", "--net", "sh", "-c", "echo; exec cat")
                .redirectErrorStream(true)
                .start();
        // It is in its network when it has spoken.
        assertThat(sandbox.getInputStream().read()).isEqualTo('\n');
    }

    @AfterEach
    void end() throws IOException {
        program.run("remove", LINK);
        program.close();
        sandbox.destroyForcibly();
    }

    private void connect(String rate, String burst, String limit, String whereTo) throws IOException {
        program.run("connect", LINK, Long.toString(sandbox.pid()), ADDRESS, OWN, "1400", rate, burst, limit, whereTo);
    }

    private String inside(String command) {
        return shell("nsenter --net=/proc/" + sandbox.pid() + "/ns/net " + command);
    }

    @Test
    void aLinkHasBothEndsWithAddressRoutesAndRates() throws IOException {
        connect("12500000", "262144", "887144", "everywhere");

        assertThat(shell("ip -o link show dev " + LINK)).contains("NOARP", "UP", "mtu 1400", "ee:ee:ee:ee:ee:ee");
        assertThat(shell("ip route show dev " + LINK)).startsWith(ADDRESS + " scope link");
        assertThat(shell("tc qdisc show dev " + LINK)).contains("tbf", "rate 100Mbit burst 256Kb lat 50ms");
        assertThat(shell("cat /proc/sys/net/ipv4/conf/" + LINK + "/rp_filter /proc/sys/net/ipv4/conf/" + LINK
                        + "/src_valid_mark"))
                .isEqualTo("1\n1\n");
        assertThat(inside("ip -o link show dev eth0")).contains("NOARP", "UP", "mtu 1400", "ee:ee:ee:ee:ee:ee");
        assertThat(inside("ip -o -4 address show dev eth0")).contains("inet " + ADDRESS + "/32 scope global");
        assertThat(inside("ip route show")).contains("default via " + OWN + " dev eth0", OWN + " dev eth0 scope link");
        assertThat(inside("tc qdisc show dev eth0")).contains("tbf", "rate 100Mbit burst 256Kb lat 50ms");
    }

    @Test
    void aLinkToTheNodeAloneHasNoDefaultRoute() throws IOException {
        connect("65536", "262144", "265420", "node");

        assertThat(inside("ip route show").lines()).containsExactly(OWN + " dev eth0 scope link ");
    }

    @Test
    void ratesMayExceedWhatThirtyTwoBitsHold() throws IOException {
        connect("12500000000", "250000000", "875000000", "node");

        assertThat(shell("tc qdisc show dev " + LINK)).contains("rate 100Gbit");
    }

    @Test
    void aLinkIsRemovedWithBothEndsAndMayBeGone() throws IOException {
        connect("65536", "262144", "265420", "node");

        program.run("remove", LINK);
        program.run("remove", LINK);

        assertThat(inside("ip -o link show")).doesNotContain("eth0");
    }

    @Test
    void aSecondLinkOfTheNameIsRefusedAndTheFirstStays() throws IOException {
        connect("65536", "262144", "265420", "node");

        assertThatThrownBy(() -> connect("65536", "262144", "265420", "node"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("File exists");
        assertThat(Links.exists(LINK)).isTrue();
    }

    @Test
    void aSandboxThatIsGoneGetsNoLink() throws InterruptedException {
        sandbox.destroyForcibly().waitFor();

        assertThatThrownBy(() -> connect("65536", "262144", "265420", "node"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("network of the sandbox: No such file or directory");
        assertThat(Links.exists(LINK)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "remove",
                "remove ../vv",
                "remove vv\u0000",
                "remove VV",
                "remove vv vv",
                "remove abcdefghijklmnop",
                "forget",
                "forget 198.18.0",
                "forget 198.18.0.1/8",
                "forget ::1",
                "connect vv 1 198.18.0.1 198.18.0.2 1500 1 1 1",
                "connect vv 0 198.18.0.1 198.18.0.2 1500 1 1 1 node",
                "connect vv -1 198.18.0.1 198.18.0.2 1500 1 1 1 node",
                "connect vv 99999999999 198.18.0.1 198.18.0.2 1500 1 1 1 node",
                "connect vv 1 198.18.0.1 198.18.0.2 65536 1 1 1 node",
                "connect vv 1 198.18.0.1 198.18.0.2 1500 1 4294967296 1 node",
                "connect vv 1 198.18.0.1 198.18.0.2 1500 1 1 1 nowhere",
                "connect vv 1 198.18.0.1 198.18.0.2 1500 1 1 1 node more",
            })
    void otherLinesAreRefused(String line) {
        assertThatThrownBy(() -> program.run(line)).hasMessageContaining("refused");
    }

    @Test
    void aLineThatIsTooLongIsRefusedOnceAndTheNextIsTaken() {
        assertThatThrownBy(() -> program.run("remove " + "v".repeat(5000))).hasMessageContaining("refused");
        assertThatCode(() -> program.run("remove", LINK)).doesNotThrowAnyException();
    }

    @Test
    void connectionsOfOneAddressAreForgottenAndOthersStay() throws IOException {
        shell("conntrack -I -p udp -s " + ADDRESS + " -d 198.18.255.9 --sport 7 --dport 9 -t 600 >/dev/null 2>&1");
        shell("conntrack -I -p udp -s 198.18.255.8 -d 198.18.255.9 --sport 7 --dport 9 -t 600 >/dev/null 2>&1");
        try {
            program.run("forget", ADDRESS);

            assertThat(shell("conntrack -L --orig-dst 198.18.255.9 2>/dev/null").lines())
                    .singleElement()
                    .asString()
                    .contains("src=198.18.255.8");
        } finally {
            program.run("forget", "198.18.255.8");
        }
    }
}
