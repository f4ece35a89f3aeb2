package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class OwnAddressesTest {
    /** For router anycast (RFC 7450): no host has it. */
    private static final InetAddress LATE = InetAddresses.forString("192.52.193.99");

    @Test
    void loopbackIsTheMachinesOwnAndRemoteAddressesAreNot() {
        assertThat(OwnAddresses.contains(InetAddresses.forString("127.0.0.1"))).isTrue();
        assertThat(OwnAddresses.contains(InetAddresses.forString("::1"))).isTrue();
        assertThat(OwnAddresses.contains(InetAddresses.forString("1.2.3.4"))).isFalse();
    }

    @Test
    void anAddedAddressIsTheMachinesOwnFromThenOn() {
        Networks.requireRoot();
        assertThat(OwnAddresses.contains(LATE)).isFalse();
        TestHosts.shell("ip address add " + LATE.getHostAddress() + "/32 dev lo");
        try {
            assertThat(OwnAddresses.contains(LATE)).isTrue();
        } finally {
            TestHosts.shell("ip address delete " + LATE.getHostAddress() + "/32 dev lo");
        }
        assertThat(OwnAddresses.contains(LATE)).isFalse();
    }
}
