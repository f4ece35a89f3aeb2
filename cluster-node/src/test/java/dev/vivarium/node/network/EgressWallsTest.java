package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What holds a sandbox's network in this machine's kernel: a process in a network name space stands for the sandbox, and
 * another one has the hosts outside, which no packet to them can leave the machine for.
 */
@Timeout(120)
class EgressWallsTest {
    /** Reserved for AMT relay anycast (RFC 7450), so unused here, but not blocked; and for documentation, so blocked. */
    private static final String PUBLIC = "192.52.193.77";

    private static final String INTERNAL = "192.0.2.77";
    private static final String NODE_END = "192.0.2.78";
    private static final String UNUSED = "192.0.2.79";
    private static final int NODE_PORT = 28_099;
    private static final String HOSTS = "wallshosts";
    private static final String UPLINK = "wallsup";
    private static final SandboxId ID = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzz0");
    private static final String SERVERS =
            """
            import socket, sys, threading
            def echo(address):
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sock.bind((address, 9000))
                while True:
                    words, source = sock.recvfrom(99); sock.sendto(b"reached", source)
            def listen(address, port):
                server = socket.create_server((address, port)); kept = []
                while True: kept.append(server.accept())
            for address in sys.argv[2:]: threading.Thread(target=echo, args=(address,), daemon=True).start()
            for address in sys.argv[2:]: threading.Thread(target=listen, args=(address, int(sys.argv[1])), daemon=True).start()
            print("ready", flush=True); threading.Event().wait()
            """;
    private static final String PROBE =
            """
            import socket, sys
            def reached(kind, address, port):
                sock = socket.socket(socket.AF_INET, kind); sock.settimeout(float(sys.argv[1]))
                try:
                    sock.connect((address, port))
                    if kind == socket.SOCK_DGRAM: sock.send(b"?"); sock.recv(9)
                    return True
                except OSError: return False
            for wanted in sys.argv[2:]:
                kind, address, port = wanted.split(",")
                if reached(socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM, address, int(port)): print(wanted)
            """;
    private static final String LINK_QUESTIONS =
            """
            import socket, struct, sys, time
            link = socket.if_nametoindex("eth0"); sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for address in sys.argv[1:]:
                control = [(0, 8, struct.pack("=I4s4s", link, bytes(4), bytes(4)))]
                for _ in range(3): sock.sendmsg([b"?"], control, socket.MSG_DONTROUTE, (address, 9)); time.sleep(0.1)
            print(open("/proc/net/arp").read())
            """;

    private static final String LAST_HOP =
            """
            import socket, sys, time
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            for _ in range(3):
                try: sock.sendto(b"?", (sys.argv[1], 9000))
                except OSError: pass
                time.sleep(0.2)
            try:
                for level, kind, words in sock.recvmsg(512, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)[1]:
                    print("told by", socket.inet_ntoa(words[20:24]))
            except BlockingIOError: pass
            """;

    /** Asks with an option of IP, and prints whether there was an answer. */
    private static final String WITH_OPTION =
            """
            import socket, sys
            options = {"none": b"", "record-route": bytes([7, 39, 4]) + bytes(37), "timestamp": bytes([68, 36, 5, 1]) + bytes(36)}
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.settimeout(1)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options[sys.argv[2]])
            sock.sendto(b"?", (sys.argv[1], 9000))
            try:
                sock.recv(100)
                print("answered")
            except OSError: pass
            """;

    private static Process hosts;
    private static Process machine;
    private EgressNetwork network;
    private Process sandbox;

    @BeforeAll
    static void makeHosts() throws IOException {
        Networks.requireRoot();
        removeHosts();
        for (String host : List.of(PUBLIC, INTERNAL)) {
            TestHosts.shell("ip route replace unreachable " + host + "/32 metric 4278198272");
        }
        TestHosts.shell(
                "ip netns add %1$s && ip link add %2$s type veth peer name eth0 netns %1$s".formatted(HOSTS, UPLINK));
        TestHosts.shell("ip address add %s/32 dev %s && ip link set %2$s up".formatted(NODE_END, UPLINK));
        TestHosts.shell(("ip -n %s link set lo up && ip -n %1$s address add %s/32 dev eth0"
                        + " && ip -n %1$s address add %s/32 dev eth0 && ip -n %1$s link set eth0 up"
                        + " && ip -n %1$s route add default via %s dev eth0 onlink")
                .formatted(HOSTS, PUBLIC, INTERNAL, NODE_END));
        for (String host : List.of(PUBLIC, INTERNAL)) {
            TestHosts.shell("ip route add " + host + "/32 dev " + UPLINK);
        }
        hosts = serving("ip", "netns", "exec", HOSTS, "python3", "-c", SERVERS, "9", PUBLIC, INTERNAL);
        machine = serving("python3", "-c", SERVERS, "" + NODE_PORT, "0.0.0.0");
    }

    private static Process serving(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        byte[] ready = process.getInputStream().readNBytes(5);
        assertThat(new String(ready, java.nio.charset.StandardCharsets.US_ASCII))
                .isEqualTo("ready");
        return process;
    }

    @AfterAll
    static void removeHosts() {
        if (hosts != null) {
            hosts.destroyForcibly();
            machine.destroyForcibly();
        }
        TestHosts.shell("ip link delete " + UPLINK + " 2>/dev/null; ip netns delete " + HOSTS + " 2>/dev/null;"
                + " for a in " + PUBLIC + " " + INTERNAL
                + "; do ip route delete unreachable $a/32 metric 4278198272 2>/dev/null; done; true");
    }

    @BeforeEach
    void open() throws IOException {
        network = EgressNetwork.open(
                "test-egress",
                "walls",
                EgressSettings.from(ConfigFactory.parseString("check-interval = 1h")
                        .withFallback(ConfigFactory.load().getConfig("vivarium.egress"))));
        sandbox = new ProcessBuilder("unshare", "--net", "sleep", "600").start();
        Path own = Path.of("/proc/self/ns/net");
        Path its = Path.of("/proc/" + sandbox.pid() + "/ns/net");
        await().ignoreExceptions().until(() -> !Files.readSymbolicLink(its).equals(Files.readSymbolicLink(own)));
    }

    @AfterEach
    void close() {
        network.detach(ID);
        network.close();
        sandbox.destroyForcibly();
    }

    private void attach(EgressPolicy policy) {
        network.attach(ID, sandbox.toHandle(), new NetworkAccess(policy, 1000));
    }

    private List<String> reached(String wait, String... wanted) {
        return inside(PROBE, wait + " " + String.join(" ", wanted)).lines().toList();
    }

    private String inside(String program, String arguments) {
        return TestHosts.shell("nsenter --net=/proc/" + sandbox.pid() + "/ns/net python3 - " + arguments + " <<'END'\n"
                + program + "END");
    }

    private String own(String port) {
        return "tcp," + network.address().getHostAddress() + "," + port;
    }

    @ParameterizedTest
    @EnumSource(
            value = EgressPolicy.Mode.class,
            names = {"PUBLIC", "ALLOWLIST"})
    void nothingIsReachedAfterTheMachinesFilterIsFlushed(EgressPolicy.Mode mode) {
        attach(
                mode == EgressPolicy.Mode.PUBLIC
                        ? EgressPolicy.publicInternet()
                        : EgressPolicy.allowlist(List.of(EgressDestination.parse("www.example.com"))));
        String[] inside = {
            "udp," + INTERNAL + ",9000",
            "tcp," + INTERNAL + ",9",
            own("" + NODE_PORT),
            "tcp," + NODE_END + "," + NODE_PORT,
            "tcp,172.17.0.1," + NODE_PORT
        };
        String outside = "udp," + PUBLIC + ",9000";
        assertThat(reached("1", outside)).hasSize(mode == EgressPolicy.Mode.PUBLIC ? 1 : 0);
        assertThat(reached("0.3", inside)).isEmpty();

        TestHosts.shell("nft delete table inet " + network.mark().table());

        assertThat(reached("0.5", inside)).isEmpty();
        assertThat(reached("0.5", outside)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nft add table ip wallsop && nft 'add chain ip wallsop f { type filter hook forward priority -50; }'"
                        + " && nft add rule ip wallsop f ip daddr " + PUBLIC + " drop",
                "nft add table ip wallsop && nft 'add chain ip wallsop f { type filter hook forward priority 50; }'"
                        + " && nft add rule ip wallsop f ip daddr " + PUBLIC + " drop",
                "nft add table ip wallsop; iptables -w -I DOCKER-USER -d " + PUBLIC + " -j DROP"
            })
    void firewallRulesOfTheOperatorAreRespected(String forbidding) {
        String outside = "udp," + PUBLIC + ",9000";
        TestHosts.shell(forbidding);
        try {
            attach(EgressPolicy.publicInternet());
            assertThat(reached("0.5", outside)).isEmpty();
        } finally {
            TestHosts.shell("nft delete table ip wallsop; iptables -w -D DOCKER-USER -d " + PUBLIC
                    + " -j DROP 2>/dev/null; true");
        }
        assertThat(reached("1", outside)).containsExactly(outside);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void answersComeBackWhereTheMachineChecksSources(int mode) {
        TestHosts.shell("sysctl -q -w net.ipv4.conf." + UPLINK + ".rp_filter=" + mode);
        attach(EgressPolicy.publicInternet());
        assertThat(reached("1", "udp," + PUBLIC + ",9000")).hasSize(1);
    }

    @Test
    void theLinkRevealsNoneOfTheMachinesAddresses() {
        attach(EgressPolicy.publicInternet());

        assertThat(inside(LINK_QUESTIONS, NODE_END + " " + UNUSED)).doesNotContain(NODE_END, UNUSED);
        assertThat(TestHosts.shell("ip neighbour show"))
                .doesNotContain(network.mark().links());
    }

    @Test
    void theNodeSendsNoErrorForPacketsThatExpire() {
        attach(EgressPolicy.publicInternet());
        assertThat(inside(LAST_HOP, PUBLIC)).isEmpty();
    }

    @Test
    void noPacketHasRoutersWriteTheirAddressesIntoIt() {
        attach(EgressPolicy.publicInternet());
        assertThat(inside(WITH_OPTION, PUBLIC + " none")).contains("answered");
        assertThat(inside(WITH_OPTION, PUBLIC + " record-route")).isEmpty();
        assertThat(inside(WITH_OPTION, PUBLIC + " timestamp")).isEmpty();
    }

    @Test
    void connectionTrackingEntriesAreDeletedWithTheirSandbox() {
        attach(EgressPolicy.publicInternet());
        assertThat(reached("1", "tcp," + PUBLIC + ",9")).hasSize(1);
        assertThat(tracked()).isPositive();

        network.detach(ID);

        assertThat(tracked()).isZero();
    }

    @Test
    void sandboxesOpenNoConnectionsWhileTheMachinesTableIsNearlyFull() throws IOException {
        attach(EgressPolicy.publicInternet());
        String outside = "tcp," + PUBLIC + ",9";
        network.filter().closeForNew(true);
        assertThat(reached("0.5", outside)).isEmpty();
        network.filter().closeForNew(false);
        assertThat(reached("1", outside)).containsExactly(outside);
    }

    private static int tracked() {
        return Integer.parseInt(TestHosts.shell("conntrack -L --orig-dst " + PUBLIC + " 2>/dev/null | wc -l")
                .strip());
    }
}
