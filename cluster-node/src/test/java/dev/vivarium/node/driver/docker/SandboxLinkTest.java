package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.network.Networks;
import dev.vivarium.node.network.TestHosts;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.trials.outside.Internet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A sandbox's link, which is put into a network namespace that each driver makes in its own way. */
@SandboxKind.Each
class SandboxLinkTest extends EgressOfSandboxes {
    SandboxLinkTest(SandboxKind kind) {
        super(kind);
    }

    @Test
    void aSandboxWithoutANetworkHasOnlyALoopback() {
        Live sandbox = create(EgressPolicy.Mode.NONE);

        assertThat(from(sandbox, List.of("tcp:" + Internet.PUBLIC + ":80", "udp:" + Internet.PUBLIC + ":123")))
                .allSatisfy((place, reached) -> assertThat(reached).as(place).isFalse());
        assertThat(sandbox.python(77, "print(open('/etc/resolv.conf').read())"))
                .contains("nameserver 127.0.0.1")
                .doesNotContain("\nsearch");
        sandboxes.destroy(sandbox);
    }

    @Test
    void anAgentServesOnALowPort() {
        // An engine makes the network itself, and gVisor does not apply what the engine sets in it.
        String expected = sandboxes.kind() == SandboxKind.GVISOR_OF_THE_ENGINE ? "PermissionError" : "met";
        Live sandbox = create(EgressPolicy.Mode.NONE);

        assertThat(
                        sandbox.python(
                                78,
                                """
                        import socket
                        try:
                            server = socket.create_server(('127.0.0.1', 80))
                            client = socket.create_connection(('localhost', 80))
                            print('met')
                        except OSError as refused:
                            print(type(refused).__name__)
                        """))
                .isEqualTo(expected);
        sandboxes.destroy(sandbox);
    }

    @Test
    void aSandboxReachesTheInternetAndLeavesNoLinkAndNoCounters() {
        Live first = create(EgressPolicy.Mode.PUBLIC);
        String address = addressOf(first);
        String table = "nft list table inet " + Networks.tableOf(sandboxes.network());
        String internet = "tcp:" + Internet.PUBLIC + ":80";
        String internal = "tcp:" + Internet.INTERNAL + ":80";
        assertThat(from(first, List.of(internet, internal))).isEqualTo(Map.of(internet, true, internal, false));
        assertThat(TestHosts.shell(table)).contains(address + " . " + Internet.INTERNAL + " . tcp . 80 ");
        String links = "ip -o link show | grep -c ' " + Networks.linksOf(sandboxes.network()) + "p' || true";
        assertThat(TestHosts.shell(links).strip()).isEqualTo("1");

        sandboxes.destroy(first);

        assertThat(TestHosts.shell(links).strip()).isEqualTo("0");
        assertThat(sandboxes.network().use(first.id()).opened()).isZero();
        assertThat(TestHosts.shell(table)).doesNotContain(address + " ");
    }
}
