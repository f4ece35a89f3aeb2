package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.network.Networks;
import dev.vivarium.node.network.TestHosts;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.trials.outside.Internet;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a sandbox reaches. The filter is outside of sandboxes and does not know what has made them. */
@SandboxKind.EachOfARuntime
class SandboxEgressTest extends EgressOfSandboxes {
    SandboxEgressTest(SandboxKind kind) {
        super(kind);
    }

    @Test
    void onlyThePublicInternetIsReached() {
        List<String> open = List.of(
                "tcp:" + Internet.PUBLIC + ":80",
                "tcp:" + Internet.PUBLIC + ":443",
                "tcp:" + Internet.PUBLIC + ":6379",
                "udp:" + Internet.PUBLIC + ":123",
                "udp:" + Internet.PUBLIC + ":443");
        List<String> closed = new ArrayList<>(List.of(
                // other resolvers, over UDP, TCP and TLS
                "tcp:" + Internet.PUBLIC + ":53", "udp:" + Internet.PUBLIC + ":53", "tcp:" + Internet.PUBLIC + ":853"));
        Internet.INTERNALS.forEach(address -> closed.addAll(List.of(
                "tcp:" + address + ":80",
                "tcp:" + address + ":443",
                "tcp:" + address + ":6379",
                "udp:" + address + ":123",
                "udp:" + address + ":53")));

        // given: an unfiltered container reaches all of them
        assertThat(fromAnUnfilteredContainer(
                        Stream.concat(open.stream(), closed.stream()).toList()))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isTrue());

        Live sandbox = create(EgressPolicy.Mode.PUBLIC);
        assertThat(from(sandbox, open))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isTrue());
        assertThat(from(sandbox, closed))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        sandboxes.destroy(sandbox);
    }

    @Test
    void theNodeIsNotReachedAtAnyOfItsAddresses() throws IOException {
        try (ServerSocket anywhere = new ServerSocket(0)) {
            Thread greeter = new Thread(() -> greet(anywhere));
            greeter.setDaemon(true);
            greeter.start();
            List<String> addresses = TestHosts.shell("ip -4 -o addr show | awk '{print $4}' | cut -d/ -f1")
                    .lines()
                    .toList();
            List<String> places = addresses.stream()
                    .map(address -> "tcp:" + address + ":" + anywhere.getLocalPort())
                    .toList();
            // given: an unfiltered container reaches the node at all addresses but its loopback
            assertThat(fromAnUnfilteredContainer(places).entrySet().stream()
                            .filter(entry -> !entry.getKey().startsWith("tcp:127."))
                            .toList())
                    .isNotEmpty()
                    .allSatisfy(entry ->
                            assertThat(entry.getValue()).as(entry.getKey()).isTrue());

            Live sandbox = create(EgressPolicy.Mode.PUBLIC);
            assertThat(places).contains("tcp:" + resolver() + ":" + anywhere.getLocalPort());
            assertThat(from(sandbox, places))
                    .allSatisfy(
                            (place, reached) -> assertThat(reached).as(place).isFalse());
            sandboxes.destroy(sandbox);
        }
    }

    @Test
    void sandboxesDoNotReachEachOther() {
        Live one = create(EgressPolicy.Mode.PUBLIC);
        Live other = create(EgressPolicy.Mode.PUBLIC);
        other.start(
                1,
                "python3",
                "-c",
                """
                import socket
                server = socket.create_server(('0.0.0.0', 6000))
                print('ready', flush=True)
                while True:
                    peer, source = server.accept()
                    peer.sendall(b'reached')
                    peer.close()
                """);
        awaitPrinted(other, 1, "ready");
        String address = addressOf(other);

        assertThat(from(one, List.of("tcp:" + address + ":6000", "ping:" + address)))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        assertThat(from(other, List.of("tcp:127.0.0.1:6000")))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isTrue());
        sandboxes.destroy(one);
        sandboxes.destroy(other);
    }

    @Test
    void noOtherHostReachesASandbox() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);
        sandbox.start(
                1,
                "python3",
                "-c",
                "import socket; s = socket.create_server(('0.0.0.0', 6000)); print('ready', flush=True); s.accept()");
        awaitPrinted(sandbox, 1, "ready");

        assertThat(fromAnUnfilteredContainer(List.of("tcp:" + addressOf(sandbox) + ":6000")))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        sandboxes.destroy(sandbox);
    }

    @Test
    void otherProtocolsAreDropped() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);

        assertThat(fromAnUnfilteredContainer(List.of("ping:" + Internet.PUBLIC)))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isTrue());
        assertThat(from(sandbox, List.of("ping:" + Internet.PUBLIC)))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        sandboxes.destroy(sandbox);
    }

    /** An agent has no raw sockets; the test plays one that can use the sandbox's network namespace nevertheless. */
    @Test
    void packetsWithASpoofedSourceAreDropped() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);
        String own = addressOf(sandbox);

        sendRaw(sandbox, own, "its-own-" + own);
        Awaitility.await().atMost(PATIENCE).until(() -> hosts.visits().stream()
                .anyMatch(visit -> visit.endsWith("its-own-" + own)));
        for (String foreign : List.of("198.18.0.77", "8.8.4.4", "127.0.0.1", Internet.INTERNAL, "10.99.77.1")) {
            sendRaw(sandbox, foreign, "spoofed-" + own);
        }
        sendRaw(sandbox, own, "last-" + own);
        Awaitility.await().atMost(PATIENCE).until(() -> hosts.visits().stream()
                .anyMatch(visit -> visit.endsWith("last-" + own)));

        assertThat(hosts.visits()).noneMatch(visit -> visit.endsWith("spoofed-" + own));
        sandboxes.destroy(sandbox);
    }

    @Test
    void ipv6IsDropped() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);
        String inside = "nsenter --net=/proc/" + sandboxes.pid(sandbox) + "/ns/net ";

        assertThat(TestHosts.shell(inside + "ip -6 addr show dev eth0; " + inside + "ip -6 route show"))
                .isEmpty();
        // and even after it is enabled inside the namespace
        TestHosts.shell(inside + "sysctl -q net.ipv6.conf.eth0.disable_ipv6=0; " + inside
                + "ip -6 addr add fd77::2/64 dev eth0 nodad; " + inside + "ip -6 route add default dev eth0");
        assertThat(TestHosts.shell(inside + "python3 -c \""
                        + "import socket\n"
                        + "for address in 'fe80::ecee:eeff:feee:eeee%eth0', 'fd77::1', '2001:db8::1', '::ffff:"
                        + Internet.INTERNAL
                        + "', '64:ff9b::c0a8:4d0a':\n"
                        + "    try:\n"
                        + "        socket.create_connection((address, 80), 1); print('reached', address)\n"
                        + "    except OSError as e: pass\""))
                .isEmpty();
        sandboxes.destroy(sandbox);
    }

    @Test
    void withAnAllowlistOnlyTheNodesGatewayIsReached() {
        Live sandbox = create(EgressPolicy.Mode.ALLOWLIST);

        assertThat(TestHosts.shell("nsenter --net=/proc/" + sandboxes.pid(sandbox) + "/ns/net ip -4 route show"))
                .isEqualToIgnoringWhitespace(resolver() + " dev eth0 scope link");
        assertThat(from(sandbox, List.of("tcp:" + Internet.PUBLIC + ":80", "tcp:" + Internet.INTERNAL + ":80")))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        // and even after a route is added inside the namespace
        TestHosts.shell("nsenter --net=/proc/" + sandboxes.pid(sandbox) + "/ns/net ip route add default via "
                + resolver() + " dev eth0");
        assertThat(from(
                        sandbox,
                        List.of(
                                "tcp:" + Internet.PUBLIC + ":80",
                                "udp:" + Internet.PUBLIC + ":123",
                                "tcp:" + Internet.INTERNAL + ":80")))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        sandboxes.destroy(sandbox);
    }

    @Test
    void trafficAndDenialsOfASandboxAreCounted() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);

        from(
                sandbox,
                List.of(
                        "tcp:" + Internet.PUBLIC + ":80",
                        "tcp:" + Internet.PUBLIC + ":443",
                        "udp:" + Internet.INTERNAL + ":123"));

        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            var use = sandboxes.network().use(sandbox.id());
            assertThat(use.opened()).isEqualTo(2);
            assertThat(use.denied()).isEqualTo(1);
        });
        sandboxes.destroy(sandbox);
    }

    @Test
    void aFloodOfDnsQueriesIsDroppedBeforeItReachesTheNode() {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);

        sandbox.python(
                1,
                """
                import socket
                asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for _ in range(2000):
                    asking.sendto(b'flood', ('%s', 53))
                """
                        .formatted(resolver()));

        // a burst of 200, and 100 a second after that
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        sandboxes.network().useNow(sandbox.id()).denied())
                .isBetween(500L, 1_800L));
        sandboxes.destroy(sandbox);
    }

    @Test
    void aDeletedFilterIsRestoredAndNoNetworkIsAttachedMeanwhile() throws IOException {
        Live sandbox = create(EgressPolicy.Mode.PUBLIC);
        List<String> internal = List.of("tcp:" + Internet.INTERNAL + ":80");

        // It is restored faster than a sandbox is created, so it is deleted again and again until that is done.
        Process taking = new ProcessBuilder(
                        "sh",
                        "-c",
                        "while :; do nft delete table inet " + Networks.tableOf(sandboxes.network()) + "; done")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThatThrownBy(
                            () -> sandboxes.destroy(create(EgressPolicy.Mode.PUBLIC)))
                    .hasMessageContaining("packet filter"));
        } finally {
            taking.destroyForcibly();
        }

        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            Live another = create(EgressPolicy.Mode.PUBLIC);
            sandboxes.destroy(another);
            return true;
        });
        assertThat(from(sandbox, internal))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        sandboxes.destroy(sandbox);
    }

    // ---- vocabulary of the tests

    private void sendRaw(Live sandbox, String source, String text) {
        TestHosts.shell("nsenter --net=/proc/" + sandboxes.pid(sandbox) + "/ns/net python3 -c \""
                + "import socket, struct, sys\n"
                + "data = sys.argv[2].encode()\n"
                + "udp = struct.pack('!HHHH', 40000, 123, 8 + len(data), 0) + data\n"
                + "ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,"
                + " socket.inet_aton(sys.argv[1]), socket.inet_aton(sys.argv[3]))\n"
                + "raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
                + "raw.sendto(ip + udp, (sys.argv[3], 0))\" " + source + " " + text + " " + Internet.PUBLIC);
    }

    private static void greet(ServerSocket server) {
        while (!server.isClosed()) {
            try (var peer = server.accept()) {
                peer.getOutputStream().write("reached".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            } catch (IOException closed) {
                // The loop's condition shows whether the test is over.
            }
        }
    }
}
